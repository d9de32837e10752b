"""What native devices do beside their steps: noise, memory, leak, reads, disturb, spread."""
