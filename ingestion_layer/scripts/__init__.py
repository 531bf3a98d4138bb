"""What each type of event does to the world, so that only events happen that could have happened.

A script is a function of the world and the moment. It returns the event, or None where its preconditions do not hold
just now: nobody has work to hand in, no teacher is logged in. Fields that a script does not supply, and whole types
without a script, are filled from the catalogue.
A script that the catalogue doesn't know is a ScriptError here.
"""

from ingestion_layer.scripts import assessment, courses, notifications, people, videos
from ingestion_layer.scripts.script import SCRIPTS, SUPPLIED, judge

# One of these is possible whoever is there: somebody is away or logged in, or has yet to come.
ALWAYS = ("LOGIN", "LOGOUT", "LOGIN_FAILED", "SIGNUP", "CREATE_PROFILE", "COURSE_ENROLLED")
# Where an event could not have happened: what does, in the same topic.
INSTEAD = {
    "SIGNUP": "LOGIN_FAILED",
    "LOGIN_FAILED": "LOGIN",
    "SESSION_EXPIRED": "LOGIN",
    "CREATE_PROFILE": "UPDATE_PROFILE",
    "COURSE_CREATED": "COURSE_VIEW",
    "COURSE_DELETED": "COURSE_VIEW",
    "COURSE_DROPPED": "COURSE_VIEW",
    "COURSE_ENROLLED": "COURSE_VIEW",
    "DELETE_ASSIGNMENT": "EDIT_ASSIGNMENT",
    "EDIT_ASSIGNMENT": "SUBMIT_ASSIGNMENT",
    "SUBMIT_ASSIGNMENT": "VIEW_ASSIGNMENT_FIRST_TIME",
    "VIEW_ASSIGNMENT_FIRST_TIME": "QUIZ_STARTED",
    "QUIZ_COMPLETED": "QUIZ_STARTED",
    "ASSIGNMENT_REOPENED": "GRADE_ASSIGNMENT",
    "GRADE_ASSIGNMENT": "VIEW_STUDENT_WORK",
    "VIEW_STUDENT_WORK": "SUBMIT_ASSIGNMENT",
    "ASSIGNMENT_CREATED": "VIEW_STUDENT_WORK",
    "VIDEO_COMPLETED": "VIDEO_SEEKED",
    "VIDEO_SEEKED": "VIDEO_STARTED",
    "VIDEO_PAUSED": "VIDEO_STARTED",
    "VIDEO_STARTED": "VIDEO_WATCHED",
    "NOTIFICATION_CLICKED": "NOTIFICATION_OPENED",
    "NOTIFICATION_OPENED": "NOTIFICATION_SENT",
    "NOTIFICATION_DISMISSED": "NOTIFICATION_SENT",
}

judge(SUPPLIED, {"ALWAYS": ALWAYS, "INSTEAD": (*INSTEAD, *INSTEAD.values())})

__all__ = ["ALWAYS", "INSTEAD", "SCRIPTS", "SUPPLIED", "assessment", "courses", "notifications", "people", "videos"]
