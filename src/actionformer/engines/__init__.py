"""Other programs that compute a network: it becomes a graph, the graph a file or a callable in the network's place."""
