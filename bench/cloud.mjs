// Requests per second and memory on PostgreSQL: one process of ours, two of them, and a real Kolibri,
// each on a database of its own on the same server, by the mix of reads and writes that a recorded
// tour of the interface makes.
//
//   e2e/native/postgres/with-server node bench/cloud.mjs     alone; `make bench` does that
//
// KOLIBRI_REFERENCE needs psycopg2 in its environment. DURATION is how many seconds each load takes (15).
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { fill, REQUESTS } from "./requests.mjs";
import { makeSchool, signIn } from "./school.mjs";
import { Client, Native } from "./servers.mjs";

const CLIENTS = 16;
const SECONDS = Number(process.env.DURATION ?? 15);

/** How often the tour of the interface made each request, by the beginning of its address. */
const RECORDED = Object.entries({
	"PUT api/auth/session/current/": 48, // once for each of two people
	"GET api/tasks/tasks/": 40,
	"GET api/auth/facilitydataset/": 84,
	"GET api/content/channel/": 66,
	"GET coach/api/notifications/": 63,
	"GET api/auth/facility/": 53,
	"GET api/auth/classroom/": 37,
	"GET api/device/usersyncstatus/": 36,
	"GET api/notifications/pingbacknotification/": 33,
	"GET coach/api/classsummary/": 31,
	"GET api/content/contentnode/": 27,
	"GET learn/api/state/": 26,
	"GET api/auth/facilityuser/": 7,
	"GET api/lessons/lesson/size/": 24,
	"GET api/notifications/localnotification/": 19,
	"GET api/logger/userprogress/": 17,
	"GET api/auth/learnergroup/": 10,
	"GET learn/api/homehydrate/": 10,
	"GET api/bookmarks/": 8,
	"GET api/discovery/networklocation/": 5,
	"GET api/device/deviceinfo/": 5,
	"GET api/lessons/lesson/": 4,
	"POST api/auth/facilityuser/": 3,
});

const MIX = REQUESTS.flatMap((request) => {
	const found = RECORDED.find(([start]) => `${request.method} ${request.at}`.startsWith(start));
	return Array(found ? found[1] : 1).fill(request);
});

/** The same order for every server, and no two of a kind in a row for long. */
function shuffled() {
	let seed = 7;
	const order = [...MIX];
	for (let i = order.length - 1; i > 0; i--) {
		seed = (seed * 1103515245 + 12345) % 2147483648;
		const j = seed % (i + 1);
		[order[i], order[j]] = [order[j], order[i]];
	}
	return order;
}

/** Bytes of memory that a process and its children have for themselves. @param {number} pid @returns {number} */
function memory(pid) {
	let own = 0;
	try {
		own = Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]) * 1024;
		for (const task of fs.readdirSync(`/proc/${pid}/task`))
			for (const child of fs.readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" "))
				if (child) own += memory(Number(child));
	} catch {
		// it has just ended
	}
	return own;
}

/** A server on PostgreSQL. @param {string} name @param {string} command @param {string} database */
function server(name, command, database) {
	const s = new Native(name, command);
	s.env = {
		KOLIBRI_DATABASE_ENGINE: "postgres",
		KOLIBRI_DATABASE_NAME: database,
		KOLIBRI_DATABASE_HOST: process.env.PGHOST,
		KOLIBRI_DATABASE_PORT: process.env.PGPORT,
		KOLIBRI_DATABASE_USER: process.env.PGUSER,
		KOLIBRI_CONTENT_DIR: path.join(os.tmpdir(), `kolibri-bench-${database}`),
	};
	return s;
}

/**
 * Loads servers with clients that send one request after the other.
 * @param {Native[]} servers @param {Record<string, string>} school
 */
async function load(servers, school) {
	let number = process.hrtime()[0] * 1000;
	let done = 0;
	let failed = 0;
	const order = shuffled();
	const end = performance.now() + SECONDS * 1000;
	const work = Array.from({ length: CLIENTS }, async (_, n) => {
		const { url } = servers[n % servers.length];
		const as = { admin: new Client(url), learner0: new Client(url) };
		for (const who of /** @type {const} */ (["admin", "learner0"]))
			await signIn((...r) => as[who].send(...r), school.facility, who);
		for (let i = n * 97; performance.now() < end; i++) {
			const request = order[i % order.length];
			const { method, at, body } = fill(request, school, () => ++number);
			const { status } = await as[request.as].send(method, at, body ?? undefined);
			if (status >= 400) failed++;
			else done++;
		}
		for (const client of Object.values(as)) client.agent.destroy();
	});
	const begin = performance.now();
	await Promise.all(work);
	return { rate: (done * 1000) / (performance.now() - begin), failed };
}

/** @param {string} ours @param {string} reference */
export async function cloud(ours, reference) {
	const results = {};
	for (const [name, command, count] of /** @type {const} */ ([
		["ours", ours, 2],
		["reference", reference, 1],
	])) {
		const database = `bench_${name}_${process.pid}`;
		execFileSync("createdb", [database]);
		const servers = Array.from({ length: count }, () => server(name, command, database));
		try {
			await servers[0].start();
			const client = new Client(servers[0].url);
			await client.send("PUT", "api/auth/session/current/", { active: false }); // brings the CSRF cookie
			const school = await makeSchool((...r) => client.send(...r));
			await load([servers[0]], school); // caches and connections
			const one = await load([servers[0]], school);
			const used = memory(/** @type {number} */ (servers[0].process?.pid));
			results[name] = { rate: one.rate, failed: one.failed, memory: used };
			if (count > 1) {
				for (const s of servers.slice(1)) await s.start();
				await load(servers, school);
				results.two = await load(servers, school);
			}
		} finally {
			for (const s of servers) await s.remove();
			fs.rmSync(path.join(os.tmpdir(), `kolibri-bench-${database}`), { recursive: true, force: true });
		}
	}
	return results;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const reference = process.env.KOLIBRI_REFERENCE ?? path.resolve(".cache/kolibri-0.19.5/bin/kolibri");
	if (!fs.existsSync(reference))
		throw new Error("KOLIBRI_REFERENCE must name the command of a real Kolibri 0.19.5");
	execFileSync(path.join(path.dirname(reference), "python"), ["-c", "import psycopg2"], { stdio: "inherit" });
	const results = await cloud(path.resolve(process.env.KOLIBRI_NATIVE ?? "bin/kolibri"), reference);
	fs.mkdirSync(".cache", { recursive: true });
	fs.writeFileSync(".cache/bench-cloud.json", JSON.stringify(results, null, 1));
	console.log(JSON.stringify(results, null, 1));
}
