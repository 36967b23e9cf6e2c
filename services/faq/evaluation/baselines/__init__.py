"""What every model is compared with, on the same split and with the same text."""
