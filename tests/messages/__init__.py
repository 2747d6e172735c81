"""Tests of the messages to people."""
