"""The version of this code: each event carries it, and processes of different versions do not work together."""

VERSION = "0.1.0"
