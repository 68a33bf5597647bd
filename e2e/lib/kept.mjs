// What of a channel's files is on the device, past the service worker, which would ask the host for the rest.

/** @param {import("./browser.mjs").Browser} browser @returns {Promise<Record<string, number>>} sizes by name */
export const kept = (browser) =>
	browser.page.evaluate(async () => {
		/** @type {Record<string, number>} */
		const sizes = {};
		const walk = async (/** @type {any} */ folder) => {
			for await (const [name, handle] of folder) {
				if (handle.kind === "directory") await walk(handle);
				else if (/^[0-9a-f]{32}\.\w+$/.test(name)) sizes[name] = (await handle.getFile()).size;
			}
		};
		const root = await navigator.storage.getDirectory();
		const home = await root.getDirectoryHandle("kolibri-home");
		const content = await home.getDirectoryHandle("content").catch(() => null);
		const storage = await content?.getDirectoryHandle("storage").catch(() => null);
		if (storage) await walk(storage);
		return sizes;
	});
