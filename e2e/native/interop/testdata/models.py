"""models.py make|edit|delete: does this to records of every synchronized model, in the home of a real Kolibri.

The records that "delete" takes are those that "make" has marked to go, so that the others stay."""
import datetime
import sys
import uuid

from kolibri.main import initialize

initialize()

from django.utils import timezone
from kolibri.core.attendance.models import AttendanceRecord, AttendanceSession
from kolibri.core.auth.models import (
    AdHocGroup, Classroom, Facility, FacilityDataset, FacilityUser, LearnerGroup, Membership, Role,
)
from kolibri.core.bookmarks.models import Bookmark
from kolibri.core.courses.models import CourseSession, CourseSessionAssignment, UnitTestAssignment
from kolibri.core.device.models import LearnerDeviceStatus
from kolibri.core.exams.models import Exam, ExamAssignment, IndividualSyncableExam
from kolibri.core.lessons.models import IndividualSyncableLesson, Lesson, LessonAssignment
from kolibri.core.logger.models import (
    AttemptLog, ContentSessionLog, ContentSummaryLog, ExamAttemptLog, ExamLog, MasteryLog, UserSessionLog,
)

NOW = timezone.now()
LATER = NOW + datetime.timedelta(seconds=20)


def new():
    return uuid.uuid4().hex


def make(admin, name):
    """One record of each model; none of them refers to those of another call."""
    facility = admin.facility
    room = Classroom.objects.create(name="Class " + name + " é", parent=facility)
    user = FacilityUser.objects.create(
        username=name, full_name="Ünï " + name, facility=facility, password="x", birth_year="2012", gender="FEMALE",
        extra_demographics={"school \u2603": name},
    )
    Membership.objects.create(user=user, collection=room)
    Role.objects.create(user=user, collection=room, kind="coach")
    LearnerGroup.objects.create(name="Group " + name, parent=room)
    AdHocGroup.objects.create(name="Ad hoc " + name, parent=room)
    session = AttendanceSession.objects.create(collection=room, created_by=admin)
    AttendanceRecord.objects.create(attendance_session=session, user=user, present=True)
    lesson = Lesson.objects.create(
        title="Lesson " + name, collection=room, created_by=admin, is_active=True,
        resources=[{"contentnode_id": new(), "content_id": new(), "channel_id": new()}],
    )
    LessonAssignment.objects.create(lesson=lesson, collection=room, assigned_by=admin)
    IndividualSyncableLesson.objects.create(
        user=user, collection=room, lesson_id=lesson.id, serialized_lesson={"title": name}
    )
    question = {"exercise_id": new(), "question_id": new(), "title": "q", "counter_in_exercise": 1, "item": "x:y"}
    section = {
        "section_id": new(), "section_title": "s", "description": "", "resource_pool": [], "questions": [question],
        "question_count": 1, "learners_see_fixed_order": False,
    }
    exam = Exam.objects.create(
        title="Quiz " + name, question_count=1, question_sources=[section], active=True, collection=room, creator=admin
    )
    ExamAssignment.objects.create(exam=exam, collection=room, assigned_by=admin)
    IndividualSyncableExam.objects.create(user=user, collection=room, exam_id=exam.id, serialized_exam={"title": name})
    examlog = ExamLog.objects.create(exam=exam, user=user)
    done = {
        "start_timestamp": NOW, "end_timestamp": LATER, "completion_timestamp": LATER, "time_spent": 20.5, "complete": True,
        "correct": 1.0, "hinted": False, "answer": {"seed": 7}, "simple_answer": name, "interaction_history": [{"type": "answer"}],
    }
    ExamAttemptLog.objects.create(examlog=examlog, user=user, content_id=new(), item="x:y", **done)
    UserSessionLog.objects.create(user=user, device_info="Linux,/Chrome,156")
    content, channel = new(), new()
    place = {"content_id": content, "channel_id": channel, "start_timestamp": NOW, "end_timestamp": LATER, "kind": "exercise"}
    summary = ContentSummaryLog.objects.create(user=user, progress=0.5, extra_fields={"savedPosition": 3}, **place)
    mastery = MasteryLog.objects.create(
        user=user, summarylog=summary, mastery_criterion={"type": "m_of_n", "m": 5, "n": 7}, start_timestamp=NOW,
        mastery_level=1,
    )
    visit = ContentSessionLog.objects.create(user=user, visitor_id=uuid.uuid4(), progress=0.25, extra_fields={}, **place)
    AttemptLog.objects.create(masterylog=mastery, sessionlog=visit, user=user, item=new(), **done)
    Bookmark.objects.create(user=user, contentnode_id=new(), channel_id=channel, content_id=content)
    LearnerDeviceStatus.objects.create(user=user, instance_id=new(), status="InsufficientStorage", status_sentiment=1)
    course = CourseSession.objects.create(
        course=new(), title="Course " + name, description="d", collection=room, created_by=admin, is_active=True
    )
    CourseSessionAssignment.objects.create(course_session=course, collection=room, assigned_by=admin)
    UnitTestAssignment.objects.create(
        course_session=course, unit_contentnode_id=new(), collection=room, test_type="pre", activated_by=admin
    )


def edit(admin, name):
    """Changes a field of each record that stays. Assignments, roles and memberships have none but their
    identity: saving them is all that can be done."""
    room = Classroom.objects.get(name__startswith="Class " + name)
    user = FacilityUser.objects.get(username=name)
    own = {"user": user}
    for records, changes in (
        (FacilityDataset.objects.all(), {"description": "edited", "learner_can_sign_up": False}),
        (Facility.objects.all(), {"name": "Edited \u5b66\u6821"}),
        (Classroom.objects.filter(id=room.id), {"name": "Class " + name + " edited"}),
        (LearnerGroup.objects.filter(parent=room), {"name": "edited group"}),
        (AdHocGroup.objects.filter(parent=room), {"name": "edited ad hoc"}),
        (FacilityUser.objects.filter(id=user.id), {"full_name": "Edited", "id_number": "7", "extra_demographics": {"a": [1, None]}}),
        (AttendanceSession.objects.filter(collection=room), {"date_modified": LATER}),
        (AttendanceRecord.objects.filter(**own), {"present": False}),
        (Lesson.objects.filter(collection=room), {"title": "edited lesson", "resources": []}),
        (LessonAssignment.objects.filter(collection=room), {}),
        (IndividualSyncableLesson.objects.filter(**own), {"serialized_lesson": {"title": "edited"}}),
        (Exam.objects.filter(collection=room), {"title": "edited quiz", "archive": True}),
        (ExamAssignment.objects.filter(collection=room), {}),
        (IndividualSyncableExam.objects.filter(**own), {"serialized_exam": {"title": "edited"}}),
        (ExamLog.objects.filter(**own), {"closed": True}),
        (ExamAttemptLog.objects.filter(**own), {"simple_answer": "edited"}),
        (UserSessionLog.objects.filter(**own), {"pages": "edited"}),
        (ContentSummaryLog.objects.filter(**own), {"progress": 1.0, "extra_fields": {"edited": True}}),
        (MasteryLog.objects.filter(**own), {"complete": True, "time_spent": 3.25}),
        (ContentSessionLog.objects.filter(**own), {"time_spent": 1e-7}),
        (AttemptLog.objects.filter(**own), {"correct": 0.0, "answer": None}),
        (Bookmark.objects.filter(**own), {"contentnode_id": new()}),
        (LearnerDeviceStatus.objects.filter(**own), {"status": "edited", "status_sentiment": -1}),
        (CourseSession.objects.filter(collection=room), {"title": "edited course", "description": None}),
        (CourseSessionAssignment.objects.filter(collection=room), {}),
        (UnitTestAssignment.objects.filter(collection=room), {"closed": True}),
        (Role.objects.filter(**own), {}),
        (Membership.objects.filter(**own), {}),
    ):
        assert records, records.model
        for record in records:
            for field, value in changes.items():
                setattr(record, field, value)
            record.save()


def delete(admin, name):
    """Deletes a record of each model, those first that others do not take along."""
    room = Classroom.objects.get(name__startswith="Class " + name)
    user = FacilityUser.objects.get(username=name)
    own, here = {"user": user}, {"collection": room}
    for records in (
        AttemptLog.objects.filter(**own), MasteryLog.objects.filter(**own), ContentSummaryLog.objects.filter(**own),
        ContentSessionLog.objects.filter(**own), UserSessionLog.objects.filter(**own), ExamAttemptLog.objects.filter(**own),
        ExamLog.objects.filter(**own), ExamAssignment.objects.filter(**here), IndividualSyncableExam.objects.filter(**own),
        Exam.objects.filter(**here), LessonAssignment.objects.filter(**here),
        IndividualSyncableLesson.objects.filter(**own), Lesson.objects.filter(**here),
        AttendanceRecord.objects.filter(**own), AttendanceSession.objects.filter(**here),
        UnitTestAssignment.objects.filter(**here), CourseSessionAssignment.objects.filter(**here),
        CourseSession.objects.filter(**here), LearnerDeviceStatus.objects.filter(**own), Bookmark.objects.filter(**own),
        Role.objects.filter(**own), Membership.objects.filter(**own), LearnerGroup.objects.filter(parent=room),
        AdHocGroup.objects.filter(parent=room),
    ):
        assert records, records.model
        for record in records:
            record.delete()
    room.delete()
    user.delete(hard_delete=True)


what, *names = sys.argv[1:]
for each in names:
    {"make": make, "edit": edit, "delete": delete}[what](FacilityUser.objects.get(username="admin"), each)
