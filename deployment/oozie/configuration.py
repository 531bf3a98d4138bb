"""The daemons' XML files, written from `config/hadoop.env` for one folder, host and set of ports."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from xml.sax.saxutils import escape

from deployment.installation import CONFIG, StackError
from runtime.settings import SECRETS, declared

DECLARED = CONFIG / "hadoop.env"
FILES = ("core-site", "hdfs-site", "yarn-site", "mapred-site", "capacity-scheduler", "oozie-site")
_LINE = re.compile(r"([A-Z-]+)\.XML_([^=]+)=(.*)")
DAEMON_LOGGING = """\
log4j.rootLogger=INFO,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
"""
# Oozie finds a job's lines, for `oozie job -log`, by this appender's name, class and pattern.
OOZIE_LOGGING = """\
log4j.rootLogger=WARN,oozie
log4j.logger.org.apache.oozie=INFO
log4j.logger.openjpa=ERROR
log4j.appender.oozie=org.apache.log4j.rolling.RollingFileAppender
log4j.appender.oozie.RollingPolicy=org.apache.oozie.util.OozieRollingPolicy
log4j.appender.oozie.RollingPolicy.FileNamePattern=${log4j.appender.oozie.File}-%d{yyyy-MM-dd-HH}
log4j.appender.oozie.RollingPolicy.MaxHistory=720
log4j.appender.oozie.File=${oozie.log.dir}/oozie.log
log4j.appender.oozie.Append=true
log4j.appender.oozie.layout=org.apache.log4j.PatternLayout
log4j.appender.oozie.layout.ConversionPattern=%d{ISO8601} %5p %c{1}:%L - SERVER[${oozie.instance.id}] %m%n
"""
EMPTY_WEBAPP = '<web-app xmlns="http://java.sun.com/xml/ns/javaee" version="2.4"></web-app>\n'


def properties(text: str, values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Properties by file, of a text like `config/hadoop.env`; StackError names a line that can't be used."""
    found: dict[str, dict[str, str]] = {name: {} for name in FILES}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if not match or match[1].lower() not in FILES:
            raise StackError(f"hadoop.env line {number}: must be FILE.XML_property=value; got {line!r}")
        try:
            name, value = (Template(part).substitute(values) for part in match.groups()[1:])
        except (KeyError, ValueError) as error:
            raise StackError(f"hadoop.env line {number}: must hold only known ${{…}}; got {error}") from None
        found[match[1].lower()][name] = value
    return found


def write(folder: Path, values: Mapping[str, str]) -> None:
    """Write all configuration files of the daemons to `folder/conf`."""
    conf = folder / "conf"
    known = {
        "user": getpass.getuser(),
        "home": str(Path.home()),
        "conf": str(conf),
        "data": str(folder / "data"),
        "logs": str(folder / "logs"),
        "settings": ",".join([s.name for s in declared()] + [f"{name}_FILE" for name in SECRETS]),
        **values,
    }
    for name, found in properties(DECLARED.read_text(encoding="utf-8"), known).items():
        rows = "".join(
            f"<property><name>{escape(key)}</name><value>{escape(value)}</value></property>\n"
            for key, value in found.items()
        )
        _put(conf / f"{name}.xml", f"<configuration>\n{rows}</configuration>\n")
    _put(conf / "log4j.properties", DAEMON_LOGGING)
    _put(conf / "oozie-log4j.properties", OOZIE_LOGGING)
    for page in ("hdfs", "datanode"):  # HDFS looks for its pages' folders, which are in no jar
        _put(conf / "webapps" / page / "WEB-INF" / "web.xml", EMPTY_WEBAPP)
    (conf / "webapps" / "static").mkdir(exist_ok=True)
    (conf / "action-conf").mkdir(exist_ok=True)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
