// Apps in archives: what they need works, and what is not theirs they do not get.
import assert from "node:assert/strict";
import { test } from "node:test";
import { lay, show } from "../lib/apps.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { archive } from "../lib/zip.mjs";

const PIXEL = Buffer.from(
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
	"base64",
);

/** An app that tries all ways to come by its own files. */
const WAYS = {
	"index.html": `<!doctype html><html><head><link rel="stylesheet" href="css/main.css"><script src="js/classic.js"></script></head>
<body><img id="img" src="img/a%20b.png"><div id="styled" style="background:url(img/a%20b.png)"></div>
<div id="box"></div><iframe id="nested" src="sub/page.html?x=1#frag"></iframe><a id="next" href="second.html?from=first">next</a>
<script type="module" src="js/main.js"></script></body></html>`,
	"css/main.css": "@import 'more.css'; body { background: url(../img/a%20b.png) }",
	"css/more.css": "body { color: rgb(1, 2, 3) }",
	"js/classic.js": "window.classic = location.pathname + '|' + window.location.search",
	"js/main.js": `import { a } from "./a.js";
const report = { classic, cycle: a(), color: getComputedStyle(document.body).color };
const loaded = (e) => new Promise((go) => { e.onload = () => go(e.naturalWidth ?? true); e.onerror = () => go("failed") });
report.bodyImage = /blob:/.test(getComputedStyle(document.body).backgroundImage);
report.img = document.getElementById("img").naturalWidth;
report.attribute = document.getElementById("img").getAttribute("src");
const image = new Image(); const done = loaded(image); image.src = "img/a b.png"; report.dynamic = await done;
const box = document.getElementById("box"); box.innerHTML = '<img src="./img/a b.png">'; report.markup = await loaded(box.firstChild);
report.fetched = await (await fetch("data/d.json")).json();
report.ranged = [(await fetch("data/d.json", { headers: { Range: "bytes=1-3" } })).status];
report.missing = (await fetch("data/none.json")).status;
report.xhr = await new Promise((go) => { const x = new XMLHttpRequest(); x.open("GET", "data/d.json"); x.responseType = "json"; x.onload = () => go([x.status, x.response.n]); x.send(); });
const sync = new XMLHttpRequest(); sync.open("GET", new URL("../data/d.json", import.meta.url), false); sync.send(); report.sync = sync.status;
const name = "b"; report.later = (await import("./" + name + ".js")).b;
const script = document.createElement("script"); script.src = "js/late.js"; const came = loaded(script); document.head.append(script); await came; report.late = window.late;
report.worker = await new Promise((go) => { const w = new Worker("js/worker.js"); w.onmessage = (e) => go(e.data); w.onerror = () => go("failed"); });
report.nested = await new Promise((go) => { const look = () => { const d = document.getElementById("nested").contentDocument; if (d?.title) go(d.title); else setTimeout(look, 50); }; look(); });
const titled = (frame) => new Promise((go) => { setTimeout(() => go("nothing"), 3000); const look = () => { const d = frame.contentDocument; if (d?.title) go(d.title); else setTimeout(look, 50); }; look(); });
const made = document.createElement("iframe"); made.src = "sub/page.html"; document.body.append(made); report.made = await titled(made);
const after = document.createElement("iframe"); document.body.append(after); after.src = "sub/page.html"; report.after = await titled(after);
box.innerHTML = '<iframe src="sub/page.html?y"></iframe>'; report.written = await titled(box.firstChild);
document.cookie = "k=v"; sessionStorage.setItem("s", "1");
report.storage = [document.cookie, sessionStorage.getItem("s"), localStorage.length];
report.url = [document.URL, document.baseURI].map((u) => new URL(u).pathname.replace(/.*zip\\//, ""));
sessionStorage.setItem("first", JSON.stringify(report));
document.getElementById("next").click();`,
	"js/a.js": 'import { b } from "./b.js"; export const a = () => "a" + b; ',
	"js/b.js": 'import { a } from "./a.js"; export const b = "b"; export const later = () => a();',
	"js/late.js": "window.late = 'late'",
	"js/worker.js": "postMessage('works')",
	"data/d.json": '{"n": 7}',
	"sub/page.html":
		"<html><head><title>loading</title></head><body><script>document.title = 'nested ' + location.search + (parent.classic ? ' sees its parent' : '')</script></body></html>",
	"second.html": `<body><script src="js/classic.js"></script><script>
localStorage.setItem("report", JSON.stringify({ ...JSON.parse(sessionStorage.getItem("first")), second: classic.replace(/.*zip\\//, "") }))</script></body>`,
	"img/a b.png": PIXEL,
};

for (const appsOrigin of [false, true]) {
	test(
		`an app finds its own files in every way, ${appsOrigin ? "on an origin for apps" : "without an address"}`,
		inBrowser(
			async ({ site, browser }) => {
				const name = await lay(site, archive(WAYS));
				await browser.open();
				await browser.mounted();
				const report = await show(browser, name);
				assert.deepEqual(report, {
					classic: `/content/zipcontent/${name}/index.html|`,
					cycle: "ab",
					color: "rgb(1, 2, 3)",
					bodyImage: !appsOrigin,
					img: 1,
					attribute: "img/a%20b.png",
					dynamic: 1,
					markup: 1,
					fetched: { n: 7 },
					ranged: [206],
					missing: 404,
					xhr: [200, 7],
					sync: 200,
					later: "b",
					late: "late",
					worker: "works",
					nested: "nested ?x=1 sees its parent",
					made: "nested sees its parent",
					after: "nested sees its parent",
					written: "nested ?y sees its parent",
					storage: ["k=v", "1", 0],
					url: ["index.html", "index.html"],
					second: "second.html|?from=first",
				});
				if (!appsOrigin) return;
				assert.ok(
					browser.page
						.frames()
						.some(
							(f) =>
								f.url() ===
								`http://127.0.0.1:${site.appsPort}/content/zipcontent/${name}/second.html?from=first`,
						),
					"it has its address",
				);
				site.servers.pop()?.kill("SIGKILL");
				await browser.page.reload();
				await browser.mounted();
				const offline = await show(browser, name);
				assert.equal(offline.worker, "works", "its host is needed once");
			},
			{ appsOrigin },
		),
	);
}

/** An app that wants what is not its own. Each way gives what it got, or why not. */
const hostile = (/** @type {string} */ root, /** @type {string} */ other) => ({
	"index.html": `<!doctype html><body><script>
const root = ${JSON.stringify(root)};
const got = {};
const attempt = async (name, way) => {
	const late = new Promise((go) => setTimeout(() => go("nothing"), 3000));
	try { const x = await Promise.race([way(), late]); got[name] = x === undefined || x === null ? "nothing" : x; } catch (e) { got[name] = "refused"; }
};
const image = (url) => new Promise((go, no) => { const i = document.createElement("img"); i.onload = () => go("loaded"); i.onerror = no; i.src = url; });
const message = (target) => new Promise((go) => { addEventListener("message", (e) => { if (e.data && e.data.stolen) go(e.data.stolen); }); target.postMessage({ t: "who leads" }, "*"); });
(async () => {
	await attempt("player's window", () => Object.keys(parent.kolibriRealm.files.blobs ? [...parent.kolibriRealm.files.blobs.keys()].filter((k) => k.includes(${JSON.stringify(other)})) : []).join() || null);
	await attempt("outer window", () => parent.parent.document.body.innerHTML);
	await attempt("Kolibri's page", () => parent.parent.parent.document.cookie + parent.parent.parent.document.body.innerHTML);
	await attempt("the shell", () => top.kolibriShell && "shell");
	await attempt("top document", () => top.document.title);
	await attempt("a page of Kolibri", () => fetch(root + "en/facility/").then((r) => r.ok ? r.text() : null));
	await attempt("the API", () => fetch(root + "api/auth/facilityuser/").then((r) => r.ok ? r.text() : null));
	await attempt("the API, relative", () => fetch("../../../api/public/info/").then((r) => r.ok ? r.text() : null));
	await attempt("the API by XHR", () => new Promise((go, no) => { const x = new XMLHttpRequest(); x.open("GET", root + "api/public/info/"); x.onload = () => go(x.responseText); x.onerror = no; x.send(); }));
	await attempt("the native fetch of a new frame", () => { const f = document.createElement("iframe"); document.body.append(f); return f.contentWindow.fetch(root + "api/public/info/").then((r) => r.ok ? r.text() : null); });
	await attempt("a worker's fetch", () => new Promise((go, no) => { const w = new Worker(URL.createObjectURL(new Blob(["fetch(" + JSON.stringify(root + "api/public/info/") + ").then((r) => r.text()).then(postMessage, () => postMessage(null))"]))); w.onmessage = (e) => go(e.data); w.onerror = no; }));
	await attempt("another app", () => fetch(root + ${JSON.stringify(`content/zipcontent/${other}/secret.txt`)}).then((r) => r.ok ? r.text() : null));
	await attempt("another app's archive", () => fetch(root + ${JSON.stringify(`content/storage/${other[0]}/${other[1]}/${other}`)}).then((r) => r.ok ? "archive" : null));
	await attempt("a script of Kolibri", () => new Promise((go, no) => { const s = document.createElement("script"); s.src = root + "sw.js"; s.onload = () => go("loaded"); s.onerror = no; document.head.append(s); }));
	await attempt("a picture elsewhere", () => image("http://127.0.0.1:9/leak?" + Math.random()));
	await attempt("a picture of the host", () => image(root + "leak.png?x=1"));
	await attempt("private files", () => navigator.storage.getDirectory().then(() => "files"));
	await attempt("IndexedDB", () => new Promise((go, no) => { const o = indexedDB.open("jar"); o.onsuccess = () => go("opened"); o.onerror = no; }));
	await attempt("IndexedDB of a new frame", () => new Promise((go, no) => { const f = document.createElement("iframe"); document.body.append(f); const o = f.contentWindow.indexedDB.open("jar"); o.onsuccess = () => go("opened"); o.onerror = no; }));
	await attempt("caches", () => caches.keys().then((k) => k.join()));
	await attempt("storage", () => { const f = document.createElement("iframe"); document.body.append(f); return f.contentWindow.localStorage.length; });
	await attempt("cookies", () => { const f = document.createElement("iframe"); document.body.append(f); return f.contentDocument.cookie || null; });
	await attempt("locks", () => navigator.locks.query().then((l) => l.held.length || null));
	await attempt("a broadcast", () => new Promise((go) => { const c = new BroadcastChannel("kolibri:/:leader"); c.onmessage = (e) => go(JSON.stringify(e.data)); c.postMessage({ t: "lost" }); }));
	await attempt("a service worker", () => navigator.serviceWorker.register(root + "sw.js").then(() => "registered"));
	await attempt("a window", () => { const w = Object.getPrototypeOf(window).open?.call(window, root) ?? null; return w; });
	await attempt("a frame of Kolibri", () => new Promise((go) => { const f = document.createElement("iframe"); f.onload = () => { try { go(f.contentDocument && f.contentDocument.URL !== "about:blank" && !f.contentDocument.querySelector("meta[name=sandbox-error]") ? f.contentDocument.title : null); } catch { go(null); } }; Object.getOwnPropertyDescriptor(f.__proto__, "src").set.call(f, root + "en/learn/"); document.body.append(f); }));
	await attempt("moving the player's window", () => { parent.location.href = root + "en/learn/"; return new Promise(() => {}); });
	await attempt("moving the outer window", () => { parent.parent.location.href = "http://127.0.0.1:9/leak"; return new Promise(() => {}); });
	await attempt("moving the top", () => { top.location.href = "http://127.0.0.1:9/leak"; return new Promise(() => {}); });
	await attempt("a message to Kolibri's page", () => message(parent.parent.parent));
	localStorage.setItem("report", JSON.stringify(got));
})();
</script></body>`,
});

test(
	"an app gets nothing that is not its own",
	inBrowser(async ({ site, browser }) => {
		const other = await lay(site, archive({ "index.html": "<p>other</p>", "secret.txt": "secret" }));
		const name = await lay(site, archive(hostile(site.url, other)));
		await browser.open();
		await browser.mounted();
		await browser.provision();
		const before = browser.frame()?.url();
		const refused = new Set();
		browser.context?.on(
			"requestfailed",
			(r) => /csp/i.test(r.failure()?.errorText ?? "") && refused.add(r.url()),
		);
		browser.requests.length = 0;
		const got = await show(browser, name);
		assert.deepEqual(
			Object.entries(got).filter(([, value]) => value !== "refused" && value !== "nothing"),
			[],
		);
		assert.ok(Object.keys(got).length > 25);
		assert.equal(browser.frame()?.url(), before, "Kolibri's page stays");
		const asked = browser.requests.filter(
			(url) => /leak|:9\/|api\/|sw\.js|secret/.test(url) && !refused.has(url),
		);
		assert.deepEqual(asked, [], "no request leaves the frame");
		assert.equal(await browser.whoami(), "admin");
	}),
);

/** What an app on the apps' origin may have of its own: the page around it there, and storage that ends with it. */
const OWN = [
	"outer window",
	"private files",
	"IndexedDB",
	"IndexedDB of a new frame",
	"caches",
	"storage",
	"cookies",
	"locks",
];

test(
	"an app on an origin for apps gets nothing of Kolibri's or of other apps",
	inBrowser(
		async ({ site, browser }) => {
			const leave = "indexedDB.open('left').onsuccess = () => localStorage.setItem('report', '1')";
			const other = await lay(
				site,
				archive({ "index.html": `<script>${leave}</script>`, "secret.txt": "secret" }),
			);
			const files = hostile(site.url, other);
			const look =
				"const left = await indexedDB.databases(); got.left = left.length ? left[0].name : 'nothing';";
			files["index.html"] = files["index.html"].replace("(async () => {", `(async () => { ${look}`);
			const name = await lay(site, archive(files));
			await browser.open();
			await browser.mounted();
			await browser.provision();
			assert.equal(await show(browser, other), 1);
			const refused = new Set();
			browser.context?.on(
				"requestfailed",
				(r) => /csp/i.test(r.failure()?.errorText ?? "") && refused.add(r.url()),
			);
			browser.requests.length = 0;
			const before = browser.frame()?.url();
			const got = await show(browser, name);
			const more = Object.entries(got).filter(
				([what, value]) => !["refused", "nothing"].includes(value) && !OWN.includes(what),
			);
			assert.deepEqual(more, []);
			assert.equal(got.left, "nothing", "what the app before has stored is gone");
			assert.equal(browser.frame()?.url(), before, "Kolibri's page stays");
			const left = browser.requests.filter((url) => /leak|:9\//.test(url) && !refused.has(url));
			assert.deepEqual(left, [], "no request leaves the origin");
			assert.equal(await browser.whoami(), "admin");
		},
		{ appsOrigin: true },
	),
);

test(
	"an origin for apps that is not there is done without",
	inBrowser(
		async ({ site, browser }) => {
			const name = await lay(
				site,
				archive({ "index.html": `<script>localStorage.setItem("report", JSON.stringify(origin))</script>` }),
			);
			await browser.open();
			await browser.mounted();
			site.servers.pop()?.kill("SIGKILL");
			assert.equal(await show(browser, name), "null");
		},
		{ appsOrigin: true },
	),
);

test(
	"an archive that could do harm is refused, and the next one is shown",
	inBrowser(async ({ site, browser }) => {
		await browser.open();
		await browser.mounted();
		const index = "<script>localStorage.setItem('report', '\"shown\"')</script>";
		for (const [made, why] of /** @type {[Blob, RegExp][]} */ ([
			[archive({ "index.html": index, "../x": "1" }), /outside/],
			[archive({ "index.html": index }, { size: 0xfffffff0 }), /bytes/],
			[new Blob(["no archive"]), /no zip archive/],
			[archive({ "other.html": index }), /index.html does not exist/],
		])) {
			const { error } = await show(browser, await lay(site, made));
			assert.match(error.message, why);
		}
		assert.match((await show(browser, `${"0".repeat(32)}.zip`)).error.message, /not on this device/);
		assert.equal(await show(browser, await lay(site, archive({ "index.html": index }))), "shown");
		const direct = await browser.api("GET", `content/zipcontent/${"0".repeat(32)}.zip/index.html`);
		assert.equal(direct.status, 404, "nothing of an archive has an address of its own");
	}),
);
