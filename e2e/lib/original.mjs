// A real Kolibri 0.19.5 (KOLIBRI_REFERENCE, or the one that `make reference` installs), and a school on it
// whose pages a browser looks at without any shell around them.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { Native } from "../../bench/servers.mjs";
import { Browser, PATIENCE } from "./browser.mjs";
import { PASSWORD, School } from "./school.mjs";
import { BUILD } from "./site.mjs";

const command = process.env.KOLIBRI_REFERENCE || path.resolve(".cache/kolibri-0.19.5/bin/kolibri");

/** The channel that every build brings along. */
const CHANNEL = fs.readdirSync(path.join(BUILD, "content/databases"))[0].replace(".sqlite3", "");

/** A browser on a server's own pages. */
class Direct extends Browser {
	frame(page = this.page) {
		return page.mainFrame();
	}

	/** A real Kolibri wants the token of its cookie. @param {string} method @param {string} at @param {unknown} [body] */
	api(method, at, body, page = this.page) {
		return page.evaluate(
			async ([method, url, body]) => {
				const token = /kolibri_csrftoken=(\w+)/.exec(document.cookie)?.[1] ?? "";
				const headers = {
					"X-Requested-With": "XMLHttpRequest",
					"Content-Type": "application/json",
					"X-CSRFToken": token,
				};
				const answer = await fetch(url, { method, headers, body });
				return { status: answer.status, text: await answer.text() };
			},
			/** @type {const} */ ([
				method,
				this.site.url + at,
				body === undefined ? undefined : JSON.stringify(body),
			]),
		);
	}
}

/** What a real Kolibri says of itself is up to here, where it is killed. */
const LIMIT = 5 * PATIENCE;

export class Original extends Native {
	constructor() {
		super("original", command);
	}

	/** Runs one of its commands to the end. @param {string[]} args */
	manage(...args) {
		return execFileSync(command, ["manage", ...args], {
			env: { ...process.env, ...this.env, KOLIBRI_HOME: this.home, KOLIBRI_RUN_MODE: "dev" },
			stdio: "pipe",
			timeout: LIMIT,
			killSignal: "SIGKILL",
		});
	}

	/** Its pages in a browser, set up and with the channel of the build, with the admin signed in. */
	async school() {
		const admin = ["--superusername", "admin", "--superuserpassword", PASSWORD];
		const facility = ["--facility", "Test School", "--preset", "formal", "--language_id", "en"];
		this.manage("provisiondevice", ...facility, ...admin, "--noinput");
		for (const verb of ["importchannel", "importcontent"]) this.manage(verb, "disk", CHANNEL, BUILD);
		await this.start();
		const browser = new Direct(/** @type {any} */ ({ url: this.url }));
		try {
			await browser.launch();
			await browser.open();
			await browser.mounted();
			const school = new School(browser);
			browser.facility = (await school.get("api/public/v1/facility/"))[0].id;
			await school.session("admin");
			await school.look(CHANNEL);
			return school;
		} catch (error) {
			await browser.remove(); // or its processes would keep the test from ending
			throw error;
		}
	}

	/** What others reach it at. */
	get host() {
		return `127.0.0.1:${this.port}`;
	}
}
