"""The served gateway as a user meets it: a process, its commands, its port and its database."""
