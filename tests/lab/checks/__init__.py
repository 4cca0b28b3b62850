"""The lab's own tests: what facts say of macOS, asked of the lab's hosts."""
