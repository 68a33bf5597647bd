// Names that exist at run time without being imported.

import type { Build } from "./build.js";
import type { Hooks } from "../worker/server.js";

declare global {
	const __BUILD__: Build;

	/** Go's own support for its WebAssembly (wasm_exec.js). */
	class Go {
		importObject: WebAssembly.Imports;
		_inst?: WebAssembly.Instance;
		run(instance: WebAssembly.Instance): Promise<void>;
	}

	/** What worker/worker.js gives to the Go program. */
	var kolibriHost: {
		root: string;
		home: string;
		build: Build;
		started(hooks: Hooks): void;
		mark(name: "module" | "database"): void;
		failed(code: string, message: string): void;
		asset(path: string): Promise<Uint8Array>;
		drives: import("../worker/drives.js").Drives;
		/** Where to ask instead of a server on another origin, null for there. */
		through(url: string): { url: string; session: string } | null;
		respond(id: number, status: number, headers: string, body: Uint8Array | null): void;
		head(id: number, status: number, headers: string): void;
		data(id: number, bytes: Uint8Array): void;
		end(id: number): void;
		abort(id: number, message: string): void;
		consumed(id: number, n: number): void;
	};

	interface Window {
		/** What the shell offers to the page in its frame (same origin). */
		kolibriShell?: import("./shell.js").ShellForPages;
	}
}

declare module "wasm_exec" {}
