// The address bar, the title and the browser's buttons, as on a server.
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";

/** @param {import("../lib/browser.mjs").Browser} browser @param {RegExp} at */
const bothAt = (browser, at) =>
	until(() => {
		const places = [browser.page.url(), browser.frame()?.url() ?? ""];
		if (places.every((url) => at.test(url))) return true;
		throw new Error(`tab and frame are at ${places.join(" and ")}`);
	}, `tab and frame at ${at}`);

test(
	"the address bar follows Kolibri and leads it",
	inBrowser(async ({ browser }) => {
		await browser.open();
		await browser.mounted();
		await browser.provision();

		await browser.open("en/facility/#/settings"); // a deep link
		await browser.mounted(/\/en\/facility\/#\/settings/);
		await bothAt(browser, /#\/settings/);
		await until(async () => /Settings/i.test(await browser.page.title()), "the page's title");

		await browser.page.reload();
		await browser.mounted(/#\/settings/);

		await browser.hardReload();
		await browser.mounted(/#\/settings/);
		// Amid its first transition Kolibri's router takes a new hash back.
		await until(async () => /Settings/i.test(await browser.page.title()), "the page's title");

		await browser.page.evaluate(() => {
			location.hash = "#/users";
		}); // typed by hand
		await bothAt(browser, /#\/users/);
		await browser.page.goBack();
		await bothAt(browser, /#\/settings/);
		await browser.page.goForward();
		await bothAt(browser, /#\/users/);

		await browser.go("en/profile/"); // another page of Kolibri's
		await browser.mounted(/\/en\/profile\//);
		await bothAt(browser, /\/en\/profile\//);
		await browser.page.goBack();
		await browser.mounted(/\/en\/facility\//);
		await bothAt(browser, /\/en\/facility\/#\/users/);
		await browser.page.goForward();
		await bothAt(browser, /\/en\/profile\//);

		await browser.go("user/"); // a redirect, and another
		await bothAt(browser, /\/en\/(?!user)/);
	}),
);

test(
	"language and direction of the tab, and the shell's words, are the page's",
	inBrowser(async ({ browser }) => {
		await browser.open("ar/setup/");
		await browser.mounted(/\/ar\/setup\//);
		await until(
			() =>
				browser.page.evaluate(
					() => document.documentElement.lang === "ar" && document.documentElement.dir === "rtl",
				),
			"Arabic, right to left",
		);
		const strip = browser.page.locator("#strip[lang=ar][dir=rtl]");
		await strip.getByRole("button", { name: "التخزين والنسخ الاحتياطي" }).click();
		const dialog = browser.page.locator("dialog[lang=ar][dir=rtl]");
		await dialog.getByRole("button", { name: "تنزيل نسخة احتياطية", exact: true }).waitFor();
		await browser.page.keyboard.press("Escape");
		await dialog.waitFor({ state: "detached" });

		await browser.go("en/setup/");
		await browser.mounted(/\/en\/setup\//);
		await browser.page.locator("#strip[lang=en][dir=ltr]").getByText("Storage and backup").waitFor();
	}),
);
