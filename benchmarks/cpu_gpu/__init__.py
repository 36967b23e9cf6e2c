"""CPU against GPU: saturation, the 70 % point, pictures per second and per dollar."""
