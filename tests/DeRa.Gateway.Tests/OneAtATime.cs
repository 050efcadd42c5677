using Xunit.Sdk;
using Xunit.v3;

// Gateways of one process share their meter's name, and one that ends would take the others' counts with it.
[assembly: Parallelization(Mode = ParallelMode.None)]
