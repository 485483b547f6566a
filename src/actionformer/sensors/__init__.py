"""Readings of sensors: tables of numbers as rows at a steady rate."""
