// The small school that every server gets, made through the API that all of them have.
import { until } from "../e2e/lib/browser.mjs";

/** @typedef {(method: string, at: string, body?: unknown) => Promise<{status: number, text: string}>} Send */

const LEARNERS = 30;
export const PASSWORD = "password1";

/**
 * Sets the device up, makes a class with learners, and signs the superuser in.
 * @param {Send} send
 */
export async function makeSchool(send) {
	await ok(
		send("POST", "api/tasks/tasks/", {
			type: "kolibri.core.device.tasks.provisiondevice",
			facility: { name: "Bench School" },
			superuser: { full_name: "Admin One", username: "admin", password: PASSWORD },
			settings: { learner_can_login_with_no_password: false, on_my_own_setup: false },
			preset: "nonformal",
			language_id: "en",
			device_name: "Bench",
			allow_guest_access: true,
			is_provisioned: true,
			is_soud: false,
		}),
	);
	const facility = await until(async () => {
		const { status, text } = await send("GET", "api/auth/facility/");
		return status === 200 && JSON.parse(text)[0];
	}, "the facility");
	await until(async () => (await signIn(send, facility.id, "admin")).status === 200, "signing in");
	const classroom = await ok(send("POST", "api/auth/classroom/", { name: "Class A", parent: facility.id }));
	const users = [];
	for (let n = 0; n < LEARNERS; n++) {
		users.push(
			await ok(
				send("POST", "api/auth/facilityuser/", {
					facility: facility.id,
					username: `learner${n}`,
					full_name: `Learner ${n}`,
					password: PASSWORD,
				}),
			),
		);
	}
	await ok(
		send(
			"POST",
			"api/auth/membership/",
			users.map((u) => ({ user: u.id, collection: classroom.id })),
		),
	);
	const me = await ok(send("PUT", "api/auth/session/current/", { active: false }));
	return {
		facility: facility.id,
		dataset: facility.dataset.id,
		classroom: classroom.id,
		learner: users[0].id,
		admin: me.user_id,
	};
}

/** @param {Send} send @param {string} facility @param {string} username */
export const signIn = (send, facility, username) =>
	send("POST", "api/auth/session/", { username, password: PASSWORD, facility });

/** @param {Promise<{status: number, text: string}>} answer */
async function ok(answer) {
	const { status, text } = await answer;
	if (status >= 300) throw new Error(`${status}: ${text.slice(0, 300)}`);
	return JSON.parse(text);
}
