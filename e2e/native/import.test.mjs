// Imports of a native server that cannot go on: it is stopped, its disk is read-only, or full.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { Client, Native } from "../../bench/servers.mjs";
import { until } from "../lib/browser.mjs";
import { BUILD } from "../lib/site.mjs";
import { COMMAND } from "../relay/relay.mjs";

/** The channel that every build brings along. */
const CHANNEL = fs.readdirSync(path.join(BUILD, "content/databases"))[0].replace(".sqlite3", "");
const FILM = /\.mp4$/;

/** A host of channels whose film can be held back. */
class Mirror {
	held = 0;
	holds = false;

	constructor() {
		this.server = http.createServer((request, response) => {
			if (request.url?.startsWith("/api/public/info")) {
				response.end('{"application": "studio"}');
				return;
			}
			const file = path.join(BUILD, path.normalize(request.url ?? "/").split("?")[0]);
			if (!file.startsWith(path.join(BUILD, "content")) || !fs.existsSync(file)) {
				response.writeHead(404).end();
				return;
			}
			const bytes = fs.readFileSync(file);
			response.writeHead(200, { "Content-Length": bytes.length });
			if (this.holds && FILM.test(file)) {
				response.write(bytes.subarray(0, 100_000));
				this.held++;
			} else response.end(bytes);
		});
	}

	async start() {
		await new Promise((go) => this.server.listen(0, "127.0.0.1", () => go(null)));
		return this;
	}

	get url() {
		const { port } = /** @type {import("node:net").AddressInfo} */ (this.server.address());
		return `http://127.0.0.1:${port}`;
	}

	stop() {
		this.server.close();
		this.server.closeAllConnections();
	}
}

/** @param {(here: {mirror: Mirror, server: Native, content: string, signIn: () => Promise<Client>}) => Promise<void>} use */
async function withServer(use) {
	const mirror = await new Mirror().start();
	const server = new Native("ours", COMMAND);
	const content = fs.mkdtempSync(path.join(os.tmpdir(), "kolibri-content-"));
	server.env = { KOLIBRI_CENTRAL_CONTENT_BASE_URL: mirror.url, KOLIBRI_CONTENT_DIR: content };
	const setUp = "--facility School --preset nonformal --superusername admin --superuserpassword password1";
	const env = { ...process.env, KOLIBRI_HOME: server.home };
	execFileSync(
		COMMAND,
		["manage", "provisiondevice", ...setUp.split(" "), "--language_id", "en", "--noinput"],
		{ env },
	);
	const signIn = async () => {
		const client = new Client(server.url);
		const who = { username: "admin", password: "password1" };
		await client.send("PUT", "api/auth/session/current/", { active: false });
		const { status, text } = await client.send("POST", "api/auth/session/", who);
		assert.equal(status, 200, text);
		return client;
	};
	try {
		await server.start();
		await use({ mirror, server, content, signIn });
	} finally {
		await server.remove();
		mirror.stop();
		fs.rmSync(content, { recursive: true, force: true });
	}
}

/** @param {Client} client */
async function startImport(client) {
	const task = {
		type: "kolibri.core.content.tasks.remoteimport",
		channel_id: CHANNEL,
		channel_name: "The pendulum",
		fail_on_error: true,
	};
	const { status, text } = await client.send("POST", "api/tasks/tasks/", task);
	assert.equal(status, 200, text);
	return JSON.parse(text).id;
}

/** @param {Client} client @param {string} id @param {string} expected */
const end = (client, id, expected) =>
	until(async () => {
		const { text } = await client.send("GET", `api/tasks/tasks/${id}/`);
		const { status } = JSON.parse(text);
		if (status !== expected && ["FAILED", "COMPLETED", "CANCELED"].includes(status)) throw new Error(text);
		return status === expected && text;
	}, `the import being ${expected}`);

/** The film as people get it. @param {Client} client */
async function film(client) {
	const at = `api/content/contentnode/?descendant_of=${CHANNEL}&available=true`;
	const nodes = JSON.parse((await client.send("GET", at)).text);
	const files = nodes.flatMap((/** @type {any} */ n) => n.files ?? []);
	return files.find((/** @type {any} */ f) => f.extension === "mp4");
}

test("SIGTERM amid an import: the server ends at once, and the next one goes on with it", () =>
	withServer(async ({ mirror, server, content, signIn }) => {
		mirror.holds = true;
		const id = await startImport(await signIn());
		await until(() => mirror.held > 0, "the film on its way");
		const child = /** @type {import("node:child_process").ChildProcess} */ (server.process);
		const code = new Promise((go) => child.once("exit", go));
		const began = Date.now();
		child.kill("SIGTERM");
		assert.equal(await code, 0);
		assert.ok(Date.now() - began < 20_000, `${Date.now() - began} ms`);
		mirror.holds = false;
		await server.start();
		const client = await signIn();
		await end(client, id, "COMPLETED");
		const { checksum, file_size } = await film(client);
		const kept = path.join(content, "storage", checksum[0], checksum[1], `${checksum}.mp4`);
		assert.equal(fs.statSync(kept).size, file_size);
	}));

test("a content disk that is read-only or full: the import says so, and the server goes on", (t) =>
	withServer(async ({ server, content, signIn }) => {
		const mount = (/** @type {string} */ options) =>
			execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", content], { stdio: "pipe" });
		try {
			mount("size=900k");
		} catch {
			t.skip("only root may mount a small disk");
			return;
		}
		try {
			await server.stop();
			await server.start();
			const client = await signIn();
			const works = async () => {
				const facility = JSON.parse((await client.send("GET", "api/auth/facility/")).text)[0].id;
				const name = `Class ${Math.random()}`;
				const { status } = await client.send("POST", "api/auth/classroom/", { name, parent: facility });
				assert.equal(status, 201);
			};
			mount("remount,ro,size=900k");
			assert.match(await end(client, await startImport(client), "FAILED"), /read-only/i);
			await works();
			mount("remount,rw,size=900k");
			assert.match(await end(client, await startImport(client), "FAILED"), /no space|full/i);
			await works();
			mount("remount,rw,size=40m");
			await end(client, await startImport(client), "COMPLETED");
			assert.ok(await film(client));
		} finally {
			await server.stop();
			execFileSync("umount", [content]);
		}
	}));
