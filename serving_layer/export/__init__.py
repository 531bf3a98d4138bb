"""Events for other systems: the ones that the published run counts, in the words of xAPI and of Caliper."""
