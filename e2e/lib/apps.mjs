// Shows an archive as Kolibri's viewers do, without a channel: the same frame, the same messages.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** The player's page has its hash in its name. @param {string} build */
const playerPage = (build) =>
	`content/static/sandbox/${fs.readdirSync(path.join(build, "static/sandbox")).find((n) => n.endsWith(".html"))}`;

/**
 * Puts a file among the content that lies beside the app.
 * @param {import("./site.mjs").Site} site
 * @param {Blob} file
 * @param {string} [extension]
 * @returns {Promise<string>} its name
 */
export async function lay(site, file, extension = "zip") {
	const bytes = Buffer.from(await file.arrayBuffer());
	const name = `${createHash("md5").update(bytes).digest("hex")}.${extension}`;
	const folder = path.join(site.app, "content/storage", name[0], name[1]);
	fs.mkdirSync(folder, { recursive: true });
	fs.writeFileSync(path.join(folder, name), bytes);
	return name;
}

/**
 * @param {import("./browser.mjs").Browser} browser one of Kolibri's pages is open
 * @param {string} name the archive's
 * @returns {Promise<any>} what the app put into `localStorage.report`, or `{error}`
 */
export async function show(browser, name) {
	const frame = /** @type {import("playwright-core").Frame} */ (browser.frame());
	const start = name.endsWith(".zip")
		? `${browser.site.url}content/zipcontent/${name}/index.html`
		: `${browser.site.url}content/storage/${name[0]}/${name[1]}/${name}`;
	return frame.evaluate(
		([page, startUrl]) =>
			new Promise((resolve, reject) => {
				setTimeout(() => reject(new Error("the app says nothing")), 100_000);
				document.getElementById("shown")?.remove();
				const frame = document.createElement("iframe");
				frame.id = "shown";
				frame.setAttribute("sandbox", "allow-scripts allow-same-origin");
				frame.style.cssText = "position:fixed;inset:0;width:100%;height:100%;z-index:9999;background:#fff";
				addEventListener("message", ({ source, data }) => {
					if (source !== frame.contentWindow || !data.nameSpace) return;
					const { nameSpace, event } = data;
					if (nameSpace === "sandbox" && event === "iframeready") {
						const ready = { contentNamespace: "test", startUrl };
						frame.contentWindow?.postMessage({ nameSpace, event: "mainready", data: ready }, "*");
					}
					if (nameSpace === "sandbox" && event === "error") resolve({ error: data.data });
					if (nameSpace === "localStorage" && event === "stateupdate" && data.data.report)
						resolve(JSON.parse(data.data.report));
				});
				frame.src = page;
				document.body.append(frame);
			}),
		/** @type {const} */ ([browser.site.url + playerPage(browser.site.app), start]),
	);
}
