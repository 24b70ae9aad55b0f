"""One generation job's life: rules, steps, the poller and the client of the contract."""
