// What people do less often, for random sequences of calls.
import { ACTORS, NOBODY } from "./sequence.mjs";

/** A call of what people do less often. @param {import("./sequence.mjs").Sequence} s */
export function rarer(s) {
	const actor = s.one(ACTORS);
	const manager = s.one(["admin", "superuser"]);
	const n = s.steps.length;
	const odd = s.one([null, "", "x", 5, true, [], {}, NOBODY]);
	const get = (/** @type {string} */ path, /** @type {object} */ query) =>
		s.add({ actor, method: "GET", path, query });
	const of = (/** @type {keyof import("./sequence.mjs").Sequence["known"]} */ kind) => s.id(kind);
	s.one([
		() => get("/api/attendance/attendancerecord/", {}),
		() => get(`/api/attendance/attendancesession/${of("attendancesession")}/`, {}),
		() =>
			get("/api/attendance/attendancesession/", { start_date: "2026-01-01", collection: of("classroom") }),
		() => get("/api/logger/attemptlog/", { user: s.one(s.known.user) }),
		() => get("/api/logger/masterylog/", { content: of("exam"), user: of("user") }),
		() => get(`/api/logger/userprogress/${of("user")}/`, {}),
		() => get("/coach/api/lessonreport/", {}),
		() => get(`/coach/api/lessonreport/${of("lesson")}/`, {}),
		() => get(`/coach/api/quizdifficulties/${of("exam")}/`, {}),
		() =>
			get(`/coach/api/exercisedifficulties/${NOBODY}/`, {
				classroom_id: of("classroom"),
				lesson_id: of("lesson"),
			}),
		() =>
			get(`/coach/api/practicequizdifficulties/${NOBODY}/`, {
				classroom_id: of("classroom"),
				group_id: of("learnergroup"),
			}),
		() => get(`/api/${s.one(["lessons/lesson", "exams/exam"])}/size/`, { collection: of("classroom") }),
		() => get("/api/bookmarks/bookmarks/", {}),
		() => get("/api/auth/facilityusername/", { facility: "{facility}", search: s.one(["l", "co"]) }),
		() => get("/api/auth/facilityuser/", { user_type: s.one(["learner", "coach", "x"]) }),
		() => get("/api/auth/facilityuser/", { by_ids: `${of("user")},${of("user")}` }),
		() => get("/api/auth/facilityuser/", { page_size: 3, page: s.one([1, 2, 9]), ordering: "username" }),
		() => get("/api/public/v1/facility/", {}),
		() => get("/api/courses/coursesession/", { collection: of("classroom") }),
		() => get("/learn/api/learnercourse/", {}),
		() => get("/learn/api/state", {}),
		() => get("/api/device/usersyncstatus/", { member_of: of("classroom") }),
		() => get(`/api/device/devicepermissions/${of("user")}/`, {}),
		() => s.add({ actor, method: "PUT", path: "/api/auth/session/current/", body: {} }),
		() =>
			s.add({
				actor,
				method: "POST",
				path: "/api/auth/usernameavailable",
				body: { username: s.one(["learner", "free", "", odd]), facility: s.one(["{facility}", odd]) },
			}),
		() =>
			s.add({
				actor: "superuser",
				method: s.one(["POST", "PATCH"]),
				path: "/api/auth/facilitydataset/{dataset}/update-pin/",
				body: { pin_code: s.one(["1234", "12", odd]) },
			}),
		() =>
			s.add({
				actor,
				method: "POST",
				path: "/api/auth/ispinvalid/{dataset}",
				body: { pin_code: s.one(["1234", "9999", odd]) },
			}),
		() =>
			s.add({
				actor,
				method: "PATCH",
				path: "/api/auth/facility/{facility}/",
				body: { name: s.one([`School ${n}`, odd]) },
			}),
		() =>
			s.create(
				"exam",
				"/api/exams/exam/",
				{
					title: `Live ${n}`,
					collection: "{class_a}",
					assignments: [s.one(["{class_a}", "{group_a}"])],
					active: s.chance(0.5),
					draft: false,
					question_sources: [
						{
							section_title: "",
							questions: [
								{
									exercise_id: "c".repeat(32),
									question_id: "d".repeat(32),
									title: "",
									counter_in_exercise: s.one([1, "2", odd]),
								},
							],
						},
					],
				},
				false,
			),
		() =>
			s.add({
				actor,
				method: "POST",
				path: "/api/attendance/attendancerecord/bulk_update/",
				body: {
					attendance_session: of("attendancesession"),
					records: [{ user: of("user"), present: s.one([true, false, odd]) }],
				},
			}),
		() =>
			s.add({
				actor,
				method: "PATCH",
				path: `/api/attendance/attendancesession/${of("attendancesession")}/`,
				body: s.one([
					{ session_start_datetime: "2026-02-03T04:05:06Z" },
					{ attendance_records: [{ user: of("user"), present: true }] },
					{ attendance_records: odd },
					{ session_start_datetime: odd },
				]),
			}),
		() =>
			s.add({
				actor,
				method: "POST",
				path: s.one(["/api/lessons/lesson/", "/api/exams/exam/"]),
				body: {
					title: s.one([`Odd ${n}`, odd]),
					description: s.one(["", odd]),
					collection: s.one(["{class_a}", odd]),
					assignments: s.one([["{class_a}"], odd]),
					resources: s.one([[], odd]),
					question_sources: s.one([[], odd]),
				},
			}),
		() =>
			s.add({
				actor: s.one([actor, "superuser"]),
				method: "POST",
				path: "/api/device/devicepermissions/",
				body: { user: s.one([of("user"), odd]), can_manage_content: s.one([true, false, odd]) },
			}),
		() =>
			s.add({
				actor: s.one([actor, "superuser"]),
				method: s.one(["PATCH", "DELETE"]),
				path: `/api/device/devicepermissions/${of("user")}/`,
				body: { can_manage_content: s.one([true, false, odd]) },
			}),
		() =>
			s.add({
				actor: manager,
				method: "DELETE",
				path: `/api/auth/facilityuser/{learner3}/`,
			}),
		() =>
			s.add({
				actor: manager,
				method: "POST",
				path: "/api/auth/deletedfacilityuser/restore/",
				query: { by_ids: s.one(["{learner3}", "{learner3},", NOBODY, ""]) },
			}),
		() =>
			s.add({
				actor: manager,
				method: "DELETE",
				path: `/api/auth/deletedfacilityuser/{learner3}/`,
			}),
	])();
}
