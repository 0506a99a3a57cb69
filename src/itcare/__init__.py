"""itcare: every duty of an IT-outsourcing contract, performed on schedule, with evidence the client can verify."""

__version__ = "0.1.0"
