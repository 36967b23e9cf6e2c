"""HTTP/1.1 on an event loop: connections, requests and replies, and WSGI applications behind them."""
