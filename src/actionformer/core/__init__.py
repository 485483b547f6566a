"""What every room stands on: errors, names, files written whole, time. No network, no settings."""
