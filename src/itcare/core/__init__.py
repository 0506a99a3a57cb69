"""Words, names, errors, time and settings that every other room builds on."""
