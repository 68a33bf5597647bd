// What the pages of a recorded tour ask for, most frequent first. {names} are filled from the school.

/**
 * @typedef {object} Request
 * @property {"admin" | "learner0"} as who is signed in
 * @property {string} method
 * @property {string} at
 * @property {unknown} [body] {n} is another number each time
 */

/** @type {Request[]} */
export const REQUESTS = [
	...["admin", "learner0"].map((as) => ({
		as: /** @type {"admin" | "learner0"} */ (as),
		method: "PUT",
		at: "api/auth/session/current/",
		body: { active: true, browser: { name: "Chrome", major: "130" }, os: { name: "Linux" } },
	})),
	get("admin", "api/tasks/tasks/"),
	get("admin", "api/tasks/tasks/?queue=content"),
	get("admin", "api/auth/facilitydataset/?facility_id={facility}"),
	get("admin", "api/content/channel/?available=true"),
	get("admin", "coach/api/notifications/?classroom_id={classroom}&limit=10"),
	get("admin", "api/auth/facility/"),
	get("admin", "api/auth/classroom/?parent={facility}&role=coach"),
	get("admin", "api/device/usersyncstatus/?member_of={classroom}"),
	get("admin", "api/notifications/pingbacknotification/"),
	get("admin", "coach/api/classsummary/{classroom}/"),
	get("learner0", "api/content/contentnode/?max_results=25&available=true"),
	get("learner0", "learn/api/state/"),
	get("admin", "api/auth/facilityuser/?member_of={facility}&page=1&page_size=30"),
	get("admin", "api/auth/facilityuser/?member_of={classroom}"),
	get("admin", "api/auth/facilityuser/?search=learner1&member_of={facility}"),
	get("admin", "api/lessons/lesson/size/?collection={classroom}"),
	get("admin", "api/notifications/localnotification/"),
	get("learner0", "api/logger/userprogress/{learner}/"),
	get("learner0", "learn/api/homehydrate/"),
	get("learner0", "learn/api/learnerclassroom/?no_assignments=true"),
	get("admin", "api/auth/learnergroup/?parent={classroom}"),
	get("admin", "api/auth/membership/?collection={classroom}"),
	get("admin", "api/lessons/lesson/?collection={classroom}"),
	get("admin", "api/exams/exam/?collection={classroom}"),
	get("admin", "api/device/devicepermissions/"),
	get("admin", "api/device/devicesettings/"),
	get("admin", "api/device/deviceinfo/"),
	get("admin", "api/device/freespace/?path=Content"),
	get("admin", "api/public/info/"),
	get("learner0", "api/bookmarks/bookmarks/"),
	get("learner0", "api/content/contentrequest/"),
	get("admin", "api/auth/deletedfacilityuser/?member_of={facility}"),
	get("admin", "api/auth/role/"),
	get("admin", "api/discovery/networklocation/"),
	{
		as: "admin",
		method: "POST",
		at: "api/auth/facilityuser/",
		body: { facility: "{facility}", username: "new{n}", full_name: "New {n}", password: "password1" },
	},
	{
		as: "admin",
		method: "POST",
		at: "api/auth/classroom/",
		body: { name: "Class {n}", parent: "{facility}" },
	},
	{
		as: "admin",
		method: "PATCH",
		at: "api/auth/facilityuser/{learner}/",
		body: { full_name: "Learner {n}" },
	},
	{ as: "admin", method: "PATCH", at: "api/auth/classroom/{classroom}/", body: { name: "Class A {n}" } },
];

/** @param {"admin" | "learner0"} as @param {string} at @returns {Request} */
function get(as, at) {
	return { as, method: "GET", at };
}

/**
 * A request with its names filled.
 * @param {Request} request @param {Record<string, string>} school @param {() => number} number
 * @returns {Request}
 */
export function fill(request, school, number) {
	const text = JSON.stringify(request).replace(/\{(\w+)\}/g, (all, name) => {
		if (name === "n") return String(number());
		return school[name] ?? all;
	});
	return JSON.parse(text);
}
