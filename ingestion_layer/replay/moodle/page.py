"""Moodle's section of `docs/replay-mappings.md`."""

from __future__ import annotations

from ingestion_layer.replay.moodle.grades import TEACHER, grades
from ingestion_layer.replay.moodle.made import made
from ingestion_layer.replay.moodle.mappings import MAPPINGS, Kind
from ingestion_layer.replay.rule import Rule

ABOUT = """logs of Moodle, in CSV or JSON, and grades
- A log as the report page exports it
  (`Time, User full name, Affected user, Event context, Component, Event name, Description, Origin, IP address`, in any
  language), as the database holds it (`mdl_logstore_standard_log`), or as researchers pass it on
  (`user, timecreated, Event.context, Component, Event.name`). The source below is an event's component and name in
  English, and its class; in other languages it is known by its description, which is English everywhere.
- The course is what the row says: a column `courseid` or `course`, else the context `Course: …`; else the one course
  that the file names, or where it names none the one that all files of its folder name; else `--course`, else the
  folder's name; without regard to capitals. So where a log is replayed in several calls, files that name no course need
  `--course`.
- An item is what the context names behind the colon, or the id of the activity where the log knows no names; it is
  meant within its course. An assignment is a project where its name says so, else homework.
- People are their numbers: `userid`, a column `user`, or `The user with id '7' …` in the description; a name alone is
  the number that comes with it in the replayed logs, where that is one only. Who is concerned is `relateduserid`, or
  the second number, or the affected user.
- Times are ISO 8601, seconds since 1970, or dates as Moodle writes them in many languages; whether the month comes
  first is what the whole file says, and where no date of it tells, it doesn't.
- Roles are what `Role assigned` says of the roles that Moodle comes with; who looks at other people's work is a teacher
  in the course, and who was enrolled in it is a student where nothing else is said. They are learnt from all rows of a
  call.
- A view of an assignment that is the earliest of one call needn't be that of all: the platform's views take the
  earliest. Every one of them is a click, so nothing else depends on it.
- Identity is the whole row and its course.

Grades come from `results.csv` (`user, Grade.…`), also where only the `events.csv` beside it is given, or as the
gradebook exports them (`First name, Surname, …, Assignment: … (Real), Last downloaded from this course`). They are as
old as the export says, else a day older than the log in their folder, else as their file. A grade's identity is course,
student, item and score. Totals, feedback, letters, and what isn't from 0 to the most are left out; a row without any
grade is counted.
"""

RULES = (
    *(
        Rule((f"{m.component}: {m.name} `\\{m.plugin}\\event\\{m.event}`",), m.kind.becomes, made, m.kind.note)
        for m in MAPPINGS
    ),
    Rule(("Course module viewed of any other activity",), Kind.CLICK.becomes, made, Kind.CLICK.note),
    Rule(("column `Grade.…`",), "GRADE_ASSIGNMENT", grades, f"from 0 to 10, as points of a hundred, by `{TEACHER}`"),
    Rule(("column `Quiz: …`",), "QUIZ_COMPLETED", grades, "by the student: points of a hundred as right answers"),
    Rule(
        ("any other column `…: … (…)`",),
        "GRADE_ASSIGNMENT",
        grades,
        f"the percentage, else points of a hundred, by `{TEACHER}`",
    ),
)
