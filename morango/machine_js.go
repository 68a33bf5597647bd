package morango

// ThisMachine has no id in a browser: the random id of the database alone makes the instance's.
func ThisMachine() Machine { return Machine{Platform: "js-wasm", Hostname: "browser"} }
