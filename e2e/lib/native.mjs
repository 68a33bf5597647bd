// A native server of this project's on a home of its own.
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bin/kolibri", import.meta.url));

export class Native {
	url = "";
	home = "";
	/** @type {import("node:child_process").ChildProcess | undefined} */
	process;

	/** @param {string} password the superuser's, whose name is "teacher" */
	async start(password) {
		this.home = await mkdtemp(join(tmpdir(), "kolibri-native-"));
		const env = {
			...process.env,
			KOLIBRI_HOME: this.home,
			KOLIBRI_LISTEN_ADDRESS: "127.0.0.1",
			KOLIBRI_DISABLE_PING: "True",
		};
		const provision = [
			"manage",
			"provisiondevice",
			"--facility",
			"Far School",
			"--preset",
			"formal",
			"--superusername",
			"teacher",
		];
		const made = spawnSync(
			program,
			[...provision, "--superuserpassword", password, "--language_id", "en", "--noinput"],
			{
				env,
				encoding: "utf8",
			},
		);
		if (made.status !== 0) throw new Error(`provisiondevice: ${made.error ?? made.stderr}`);
		this.process = spawn(program, ["start", "--foreground", "--port", "0", "--zip-port", "0"], { env });
		let said = "";
		this.url = await /** @type {Promise<string>} */ (
			new Promise((resolve, reject) => {
				this.process?.stderr?.on("data", (part) => {
					said += part;
					const found = /Kolibri running on: (\S+?)\/?"/.exec(said);
					if (found) resolve(found[1]);
				});
				this.process?.on("exit", () => reject(new Error(said)));
				setTimeout(() => reject(new Error(`the native server does not start: ${said}`)), 120_000).unref();
			})
		);
		return this;
	}

	/** @param {string} path */
	async get(path) {
		const answer = await fetch(this.url + path);
		return answer.json();
	}

	async remove() {
		this.process?.kill("SIGTERM");
		if (this.home) await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
	}
}
