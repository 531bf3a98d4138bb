"""What each event of Moodle's becomes: the table that the reader runs and that `docs/replay-mappings.md` shows.

Moodle names an event in three ways: by its class (`\\mod_assign\\event\\submission_status_viewed`, in its own
database), by component and name in the language of the site, and by a description, which is English everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class Kind(Enum):
    """What is made of an event: types of ours, and how, as the printed page says it."""

    VIEW = "COURSE_VIEW", ""
    ENROLLED = "COURSE_ENROLLED", "of the affected user"
    DROPPED = "COURSE_DROPPED", "of the affected user"
    DOCUMENT = "ACCESS_COURSE_MATERIAL", "type document"
    LINK = "ACCESS_COURSE_MATERIAL", "type link"
    DOWNLOAD = "DOWNLOAD_MATERIAL", ""
    OPENED = "ITEM_CLICK, VIEW_ASSIGNMENT_FIRST_TIME", "the latter besides of a user's earliest of an assignment"
    SUBMITTED = "SUBMIT_ASSIGNMENT", "of the same item"
    EDITED = "EDIT_ASSIGNMENT", "of the same item"
    QUIZ = "QUIZ_STARTED", ""
    CLICK = "ITEM_CLICK", "of the component's type"
    WORK = "VIEW_STUDENT_WORK, ITEM_CLICK", "of the affected user; of one's own work, or of everybody's, a click"
    GRADED = "GRADE_ASSIGNMENT", "of the affected user, where `other` tells a final grade from 0 to 100"
    ROLE = "(none)", "it tells the role of the affected user in the course"

    @property
    def becomes(self) -> str:
        """Names of the types."""
        return str(self.value[0])

    @property
    def note(self) -> str:
        """How they come about."""
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Mapping:
    """An event of Moodle's: class, English component and name, what its description says after the acting user."""

    plugin: str
    event: str
    component: str
    name: str
    kind: Kind
    description: str = ""


# Plugins of activities by their English names. Of any of them "Course module viewed" is a click, but for these below.
MODULES = {
    "mod_assign": "Assignment", "mod_bigbluebuttonbn": "BigBlueButtonBN", "mod_book": "Book", "mod_chat": "Chat",
    "mod_choice": "Choice", "mod_data": "Database", "mod_feedback": "Feedback", "mod_folder": "Folder",
    "mod_forum": "Forum", "mod_glossary": "Glossary", "mod_h5pactivity": "H5P", "mod_hvp": "H5P",
    "mod_imscp": "IMS content package", "mod_lesson": "Lesson", "mod_lti": "External tool", "mod_page": "Page",
    "mod_quiz": "Quiz", "mod_resource": "File", "mod_scorm": "SCORM package", "mod_survey": "Survey",
    "mod_turnitintooltwo": "Turnitin Assignment 2", "mod_url": "URL", "mod_wiki": "Wiki", "mod_workshop": "Workshop",
    "mod_zoom": "Zoom meeting",
}  # fmt: skip
VIEWED = "course_module_viewed"
_MODULE = r"viewed the '{}' activity with course module id"


def _viewed(plugin: str, kind: Kind) -> Mapping:
    description = _MODULE.format(plugin.removeprefix("mod_"))
    return Mapping(plugin, VIEWED, MODULES[plugin], "Course module viewed", kind, description)


MAPPINGS = (
    Mapping("core", "course_viewed", "System", "Course viewed", Kind.VIEW,
            r"viewed the (?:section number '[^']*' of the )?course with id"),
    Mapping("core", "user_enrolment_created", "System", "User enrolled in course", Kind.ENROLLED,
            r"enrolled the user with id '\d+'"),
    Mapping("core", "user_enrolment_deleted", "System", "User unenrolled from course", Kind.DROPPED,
            r"unenrolled the user with id '\d+'"),
    Mapping("core", "role_assigned", "System", "Role assigned", Kind.ROLE,
            r"assigned the role with id '\d+' to the user with id"),
    Mapping("core", "user_graded", "System", "User graded", Kind.GRADED,
            r"updated the grade with id '\d+' for the user"),
    *(_viewed(plugin, Kind.DOCUMENT) for plugin in ("mod_resource", "mod_page", "mod_folder", "mod_book", "mod_imscp")),
    _viewed("mod_url", Kind.LINK),
    Mapping("mod_book", "chapter_viewed", "Book", "Chapter viewed", Kind.DOCUMENT, r"viewed the chapter with id"),
    Mapping("mod_folder", "all_files_downloaded", "Folder", "Zip archive of folder downloaded", Kind.DOWNLOAD,
            r"downloaded a zip archive containing all the files"),
    _viewed("mod_assign", Kind.OPENED),
    Mapping("mod_assign", "submission_status_viewed", "Assignment", "The status of the submission has been viewed.",
            Kind.OPENED, r"viewed the submission status page for the assignment"),
    Mapping("mod_assign", "assessable_submitted", "Assignment", "A submission has been submitted.", Kind.SUBMITTED,
            r"submitted the submission with id '\d+' for the assignment"),
    Mapping("assignsubmission_file", "submission_updated", "File submissions", "Submission updated.", Kind.EDITED,
            r"updated a file submission"),
    Mapping("assignsubmission_onlinetext", "submission_updated", "Online text submissions", "Submission updated.",
            Kind.EDITED, r"updated an online text submission"),
    Mapping("mod_assign", "submission_form_viewed", "Assignment", "Submission form viewed.", Kind.CLICK,
            r"viewed their submission for the assignment"),
    Mapping("mod_assign", "feedback_viewed", "Assignment", "Feedback viewed", Kind.CLICK,
            r"viewed the feedback for the user with id '\d+' for the assignment"),
    Mapping("mod_assign", "grading_form_viewed", "Assignment", "Grading form viewed", Kind.WORK,
            r"viewed the grading form for the user with id"),
    Mapping("mod_assign", "grading_table_viewed", "Assignment", "Grading table viewed", Kind.WORK,
            r"viewed the grading table for the assignment"),
    Mapping("mod_assign", "submission_confirmation_form_viewed", "Assignment", "Submission confirmation form viewed.",
            Kind.CLICK, r"viewed the submission confirmation form for the assignment"),
    Mapping("mod_assign", "submission_viewed", "Assignment", "Submission viewed.", Kind.WORK,
            r"viewed the submission for the user with id"),
    Mapping("mod_turnitintooltwo", "add_submission", "Turnitin Assignment 2", "Add Submission", Kind.SUBMITTED),
    Mapping("mod_turnitintooltwo", "list_submissions", "Turnitin Assignment 2", "List Submissions", Kind.OPENED),
    Mapping("mod_quiz", "attempt_started", "Quiz", "Quiz attempt started", Kind.QUIZ,
            r"started the attempt with id '\d+' for the quiz"),
    Mapping("mod_quiz", "attempt_viewed", "Quiz", "Quiz attempt viewed", Kind.CLICK,
            r"viewed (?:page '\d+' of )?(?:the|their) attempt"),
    Mapping("mod_quiz", "attempt_summary_viewed", "Quiz", "Quiz attempt summary viewed", Kind.CLICK,
            r"viewed the summary for (?:the|their) attempt"),
    Mapping("mod_quiz", "attempt_reviewed", "Quiz", "Quiz attempt reviewed", Kind.CLICK,
            r"had their attempt with id '\d+' reviewed"),
    Mapping("mod_forum", "discussion_viewed", "Forum", "Discussion viewed", Kind.CLICK,
            r"viewed the discussion with id"),
    Mapping("mod_wiki", "page_viewed", "Wiki", "Wiki page viewed", Kind.CLICK,
            r"viewed the page with id '\d+' for the wiki"),
    Mapping("mod_lesson", "content_page_viewed", "Lesson", "Content page viewed", Kind.CLICK,
            r"viewed the content page with id"),
    Mapping("mod_scorm", "sco_launched", "SCORM package", "SCO launched", Kind.CLICK, r"launched the sco with id"),
    Mapping("mod_zoom", "join_meeting_button_clicked", "Zoom meeting", "Clicked join meeting button", Kind.CLICK,
            r"clicked the join meeting button"),
    Mapping("mod_bigbluebuttonbn", "activity_viewed", "BigBlueButtonBN", "Activity viewed", Kind.CLICK,
            r"viewed the bigbluebuttonbn activity with id"),
    Mapping("mod_bigbluebuttonbn", "meeting_joined", "BigBlueButtonBN", "Meeting joined", Kind.CLICK,
            r"joined a bigbluebutton meeting"),
    Mapping("mod_bigbluebuttonbn", "recording_viewed", "BigBlueButtonBN", "Recording viewed", Kind.CLICK,
            r"viewed a recording"),
    Mapping("mod_hvp", "attempt_submitted", "H5P", "mod_hvp: attempt submitted", Kind.CLICK),
    Mapping("mod_h5pactivity", "statement_received", "H5P", "xAPI statement received", Kind.CLICK,
            r"received (?:a|an) (?:xAPI|tracking) statement"),
)  # fmt: skip
ACTOR = r"[Tt]he user with id '-?\d+' (?:has )?"
_CLASS = re.compile(r"\\?(\w+)\\event\\(\w+)")
_BY_CLASS = {(m.plugin, m.event): m for m in MAPPINGS}
_BY_NAME = {(m.component.lower(), m.name.lower()): m for m in MAPPINGS}
_TOLD = [m for m in MAPPINGS if m.description and m.event != VIEWED]
_DESCRIPTION = re.compile(
    f"{ACTOR}(?:{'|'.join(f'({m.description})' for m in _TOLD)}|{_MODULE.format('([a-z0-9_]+)')})"
)
_OTHER_NAMES = {"bigbluebutton": "bigbluebuttonbn", "turnitin assignment": "turnitin assignment 2"}


def find(event: str, component: str, description: str) -> Mapping | None:
    """The mapping of an event, by its class or its name in English, else by its description; None where there is
    none.
    """
    return _named(event, component) or (_described(description) if description and "\\" not in event else None)


@lru_cache(maxsize=4096)
def _named(event: str, component: str) -> Mapping | None:
    if "\\" in event:
        found = _CLASS.fullmatch(event.strip())
        if not found:
            return None
        plugin, name = found[1], found[2].removeprefix("bigbluebuttonbn_")
        return _BY_CLASS.get((plugin, name)) or (_click(plugin) if name == VIEWED else None)
    shown, name = component.strip().lower(), event.strip().lower()
    shown = _OTHER_NAMES.get(shown, shown)
    known = _BY_NAME.get((shown, name))
    if known:
        return known
    if name == "course module viewed":
        return _click("", component.strip())
    return None


def _described(description: str) -> Mapping | None:
    found = _DESCRIPTION.match(description)
    if not found or not found.lastindex:
        return None
    if found.lastindex <= len(_TOLD):
        return _TOLD[found.lastindex - 1]
    plugin = f"mod_{found[found.lastindex]}"
    return _BY_CLASS.get((plugin, VIEWED)) or _click(plugin)


def _click(plugin: str, component: str = "") -> Mapping | None:
    shown = component or MODULES.get(plugin, plugin.removeprefix("mod_"))
    return Mapping(plugin, VIEWED, shown, "Course module viewed", Kind.CLICK) if shown else None
