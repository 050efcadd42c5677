namespace DeRa.Engine.Tests;
