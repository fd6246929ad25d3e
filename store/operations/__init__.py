"""The operations database: alerts, outbox, people's sign-ins, audit."""
