// A real tab and a native server synchronize a facility, each way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { Native } from "../lib/native.mjs";

const password = "far-away-1";

test(
	"a tab pulls a facility from a server and pushes what is new",
	inBrowser(async ({ browser }) => {
		const server = await new Native().start(password);
		try {
			const [facility] = await server.get("/api/public/v1/facility/");
			await browser.open("en/setup/");
			await browser.mounted(/setup/);
			const device = { base_url: `${server.url}/`, nickname: "Far" };
			const known = await browser.api("POST", "api/discovery/networklocation/", device);
			assert.equal(known.status, 201, known.text);
			await finished(browser, {
				type: "kolibri.core.auth.tasks.peerfacilityimport",
				facility: facility.id,
				facility_name: facility.name,
				baseurl: `${server.url}/`,
				username: "teacher",
				password,
			});
			await finished(browser, {
				type: "kolibri.core.device.tasks.provisiondevice",
				facility_id: facility.id,
				superuser: { username: "teacher", password },
				settings: {},
				language_id: "en",
				device_name: "Tab",
				allow_guest_access: false,
				is_provisioned: true,
				is_soud: false,
			});
			const session = { facility: facility.id, username: "teacher", password };
			assert.equal((await browser.api("POST", "api/auth/session/", session)).status, 200);

			const learner = { facility: facility.id, username: "made_in_tab", full_name: "Made in Tab", password };
			assert.equal((await browser.api("POST", "api/auth/facilityuser/", learner)).status, 201);
			await finished(browser, {
				type: "kolibri.core.auth.tasks.peerfacilitysync",
				facility: facility.id,
				baseurl: `${server.url}/`,
			});
			const found = await server.get(
				`/api/public/facilitysearchuser/?facility=${facility.id}&search=made_in_tab`,
			);
			assert.equal(found[0]?.username, "made_in_tab");
		} finally {
			await server.remove();
		}
	}),
);

/**
 * Starts a job and waits for its end.
 * @param {import("../lib/browser.mjs").Browser} browser
 * @param {Record<string, unknown>} body
 */
async function finished(browser, body) {
	const made = await browser.api("POST", "api/tasks/tasks/", body);
	assert.equal(made.status, 200, made.text);
	const { id } = JSON.parse(made.text);
	const job = await until(async () => {
		const { text } = await browser.api("GET", `api/tasks/tasks/${id}/`);
		const now = JSON.parse(text);
		return ["COMPLETED", "FAILED", "CANCELED"].includes(now.status) && now;
	}, `the end of ${body.type}`);
	assert.equal(job.status, "COMPLETED", JSON.stringify(job));
}
