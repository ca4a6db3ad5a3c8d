// The emptiest program, to tell what the runtime itself needs to start.
System.Console.WriteLine("hello");
