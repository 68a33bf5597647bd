// What people do every day, for random sequences of calls.
import { rarer } from "./rarecalls.mjs";
import { ACTORS } from "./sequence.mjs";

/** @param {import("./sequence.mjs").Sequence} s */
export function call(s) {
	if (s.chance(0.5)) return rarer(s);
	const actor = s.one(ACTORS);
	const reads = [
		"facility/",
		"facilitydataset/",
		"facilityuser/",
		"deletedfacilityuser/",
		"classroom/",
		"learnergroup/",
		"membership/",
		"role/",
	];
	const n = s.steps.length;
	s.one([
		() => s.add({ actor, method: "GET", path: `/api/auth/${s.one(reads)}` }),
		() =>
			s.add({
				actor,
				method: "GET",
				path: "/api/auth/facilityuser/",
				query: { member_of: s.id("classroom") },
			}),
		() =>
			s.add({
				actor,
				method: "GET",
				path: "/api/auth/facilityuser/",
				query: { search: s.one(["l", "Le", "coach", "%"]) },
			}),
		() =>
			s.add({
				actor,
				method: "GET",
				path: "/api/auth/learnergroup/",
				query: { parent: s.id("classroom") },
			}),
		() => s.add({ actor, method: "GET", path: `/api/auth/facilityuser/${s.id("user")}/` }),
		() => s.add({ actor, method: "GET", path: `/api/auth/classroom/${s.id("classroom")}/` }),
		() =>
			s.add({
				actor,
				method: "GET",
				path: "/api/lessons/lesson/",
				query: { collection: s.one(s.known.classroom) },
			}),
		() => s.create("classroom", "/api/auth/classroom/", { name: `Class ${n}`, parent: "{facility}" }, true),
		() => s.create("classroom", "/api/auth/classroom/", { name: s.name(), parent: s.collection() }, false),
		() =>
			s.create(
				"user",
				"/api/auth/facilityuser/",
				{ username: `user${n}`, full_name: `User ${n}`, password: "pass-word1", facility: "{facility}" },
				true,
			),
		() =>
			s.create(
				"user",
				"/api/auth/facilityuser/",
				{
					username: s.one(["learner", "LEARNER", "a b", "ok"]),
					full_name: s.name(),
					birth_year: s.one(["2010", "1", ""]),
				},
				false,
			),
		() =>
			s.add({
				actor,
				method: "POST",
				path: "/api/auth/membership/",
				body: { user: s.id("user"), collection: s.collection() },
				compare: "status",
			}),
		() =>
			s.add({
				actor,
				method: "POST",
				path: "/api/auth/role/",
				body: {
					user: s.id("user"),
					collection: s.collection(),
					kind: s.one(["coach", "admin", "boss"]),
				},
				compare: "status",
			}),
		() =>
			s.add({
				actor,
				method: "PATCH",
				path: `/api/auth/facilityuser/${s.id("user")}/`,
				body: { full_name: `Renamed ${n}` },
			}),
		() =>
			s.add({
				actor,
				method: "PATCH",
				path: `/api/auth/classroom/${s.id("classroom")}/`,
				body: { name: `Other ${n}` },
			}),
		() =>
			s.add({
				actor,
				method: "DELETE",
				path: `/api/auth/${s.one(["membership", "role"])}/${s.id(s.one(["membership", "role"]))}/`,
			}),
		() => s.add({ actor, method: "DELETE", path: `/api/auth/learnergroup/${s.id("learnergroup")}/` }),
		() => s.add({ actor, method: "GET", path: `/api/lessons/lesson/${s.id("lesson")}/` }),
		() => s.add({ actor, method: "GET", path: `/api/exams/exam/${s.id("exam")}/` }),
		() => s.add({ actor, method: "GET", path: `/coach/api/classsummary/${s.id("classroom")}/` }),
		() => s.add({ actor, method: "GET", path: `/learn/api/learnerclassroom/${s.id("classroom")}/` }),
		() => s.add({ actor, method: "GET", path: "/learn/api/learnerlesson/" }),
		() => s.add({ actor, method: "GET", path: "/api/device/devicepermissions/" }),
		() =>
			s.add({
				actor,
				method: "GET",
				path: "/coach/api/notifications/",
				query: { classroom_id: s.id("classroom") },
			}),
		() =>
			s.add({
				actor,
				method: "GET",
				path: "/api/attendance/attendancesession/",
				query: { collection: s.id("classroom") },
			}),
		() =>
			s.add({
				actor,
				method: "PATCH",
				path: `/api/lessons/lesson/${s.id("lesson")}/`,
				body: s.one([
					{ active: true },
					{ title: `Retitled ${n}` },
					{ assignments: [s.collection()] },
					{ learner_ids: [s.id("user")] },
					{ resources: [{ contentnode_id: "x" }] },
				]),
			}),
		() =>
			s.add({
				actor,
				method: "PATCH",
				path: `/api/exams/exam/${s.id("exam")}/`,
				body: s.one([{ active: true }, { archive: true }, { title: `Retitled ${n}` }, { draft: false }]),
			}),
		() =>
			s.add({
				actor,
				method: "DELETE",
				path: s.one([
					`/api/lessons/lesson/${s.id("lesson")}/`,
					`/api/exams/exam/${s.id("exam")}/`,
					`/api/attendance/attendancesession/${s.id("attendancesession")}/`,
				]),
			}),
		() =>
			s.add({
				actor,
				method: "PATCH",
				path: "/api/auth/facilitydataset/{dataset}/",
				body: { [s.one(["learner_can_edit_username", "learner_can_sign_up"])]: s.chance(0.5) },
			}),
		() =>
			s.create(
				"lesson",
				"/api/lessons/lesson/",
				{
					title: `Work ${n}`,
					description: "",
					collection: "{class_a}",
					resources: [],
					assignments: ["{class_a}"],
					learner_ids: [],
					active: s.chance(0.5),
				},
				true,
			),
		() =>
			s.create(
				"exam",
				"/api/exams/exam/",
				{
					title: `Quiz ${n}`,
					collection: "{class_a}",
					assignments: ["{class_a}"],
					learner_ids: [],
					active: false,
					draft: true,
					question_sources: [],
					instant_report_visibility: true,
				},
				true,
			),
		() =>
			s.create(
				"attendancesession",
				"/api/attendance/attendancesession/",
				{
					collection: "{class_a}",
					session_start_datetime: "2026-01-02T03:04:05Z",
					attendance_records: [{ user: "{learner}", present: s.chance(0.5) }],
				},
				true,
			),
		() =>
			s.create(
				"lesson",
				"/api/lessons/lesson/",
				{
					title: `Lesson ${n}`,
					description: "",
					collection: "{class_a}",
					resources: [],
					assignments: [s.one(["{class_a}", "{group_a}"])],
					learner_ids: s.one([[], [s.id("user")]]),
				},
				false,
			),
	])();
}
