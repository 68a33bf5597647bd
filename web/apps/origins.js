// Where apps have an origin of their own: what the host of the build says of it (`make APPS_ORIGIN=…`).

/**
 * @param {string} setting `:8001` is another port of the same host, `zip.` a name before it; else a whole
 *     address of the folder; empty when there is none
 * @param {URL} root the app's folder
 * @returns {URL | null} the folder on the apps' origin
 */
export function appsFolder(setting, root) {
	if (!setting) return null;
	const url = new URL(root);
	url.search = "";
	url.hash = "";
	if (/^:\d+$/.test(setting)) url.port = setting.slice(1);
	else if (setting.endsWith(".")) url.host = setting + root.host;
	else return new URL(setting.endsWith("/") ? setting : `${setting}/`);
	return url;
}

/**
 * Whether apps of a page are to be shown here. On the page's own origin they never are: another site could
 * put its scripts there.
 * @param {string} setting
 * @param {URL} page
 * @param {URL} here
 */
export const isForApps = (setting, page, here) =>
	page.origin !== here.origin && appsFolder(setting, page)?.origin === here.origin;
