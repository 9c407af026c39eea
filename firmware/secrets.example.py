"""What must not be seen by others. Copy it to secrets.py, which git does not take, and then to the board."""

WIFI_SSID = "my network"
WIFI_PASSWORD = "its password"
BROKER_USER = "board"
BROKER_PASSWORD = "demo-board"
