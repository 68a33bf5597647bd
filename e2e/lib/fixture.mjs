// What every browser test begins with and leaves behind.
import { Browser } from "./browser.mjs";
import { Site } from "./site.mjs";

/**
 * @param {(here: {site: Site, browser: Browser}) => Promise<void>} run
 * @param {ConstructorParameters<typeof Site>[0]} [options]
 */
export const inBrowser = (run, options) => async () => {
	const site = await new Site(options).start();
	const browser = await new Browser(site).launch();
	try {
		await run({ site, browser });
	} finally {
		await browser.remove();
		await site.remove();
	}
};
