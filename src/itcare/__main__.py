"""`python -m itcare`, the same as the `itcare` command."""

from itcare.cli import main

if __name__ == "__main__":
    main()
