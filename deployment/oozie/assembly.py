"""Oozie's home folder, put together once per machine in the cache: one class path, the web pages, the command lines.

Oozie 5.2.1 is published with libraries of Hadoop 2.6, which don't run on Java 17. Here Hadoop 3.3.6's own take their
place, except where Oozie's code is bound to the older ones.
"""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from pathlib import Path

from deployment import installation
from runtime.settings import cache_folder

OOZIE = "5.2.1"
ENGINE_JARS = ("oozie-sharelib-oozie-5.2.1.jar", "json-simple-1.1.1.jar")
JVM = (
    *(f"--add-opens=java.base/{p}=ALL-UNNAMED" for p in ("java.lang", "java.util", "java.net", "java.nio", "java.io")),
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "-Djava.net.preferIPv4Stack=true",
)
# fmt: off
# Of the web application: what the newer Jetty, Hadoop or reload4j replace, and what nothing here uses.
LEFT_OUT = {
    "jetty-all", "asm", "asm-commons", "asm-tree", "log4j", "slf4j-log4j12", "jersey-guice", "jcl-over-slf4j",
    "jul-to-slf4j", "netty", "hive-ant", "ant", "ant-launcher", "ivy", "apacheds-i18n",
    "apacheds-kerberos-codec", "api-asn1-api", "api-util", "geronimo-jaspic_1.0_spec", "apache-jsp",
    "apache-el", "j2v8_macosx_x86_64", "j2v8_win32_x86", "j2v8_win32_x86_64",
}
# Of Hadoop: servers, and what clashes with Jetty 9.3 and the web application's Jersey.
HADOOP_LEFT_OUT = {
    "hadoop-mapreduce-client-app", "hadoop-mapreduce-client-hs", "hadoop-mapreduce-client-shuffle",
    "hadoop-hdfs", "jersey-guice", "jersey-server", "listenablefuture", "jsp-api", "fst",
}
HADOOP_PREFIXES_LEFT_OUT = ("jetty-", "javax.websocket", "javax-websocket", "asm", "hadoop-yarn-server")
# Oozie's code is bound to these at the web application's versions.
OOZIES_OWN = {
    "guava", "guice", "guice-servlet", "curator-client", "curator-framework", "curator-recipes", "zookeeper",
    "javax.inject", "aopalliance", "javax.servlet-api", "jsp-api",
}
# fmt: on
QUIET = """\
log4j.rootLogger=ERROR,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%p %c{1}: %m%n
"""
COMMANDS = {
    "oozie": 'exec java @jvm@ -cp "@home@/client:@home@/lib/*" org.apache.oozie.cli.OozieCLI "$@"',
    "hdfs": """case "${1:-}" in
  dfs) shift; main=org.apache.hadoop.fs.FsShell ;;
  dfsadmin) shift; main=org.apache.hadoop.hdfs.tools.DFSAdmin ;;
  *) echo "hdfs: command must be dfs or dfsadmin; got '${1:-}'" >&2; exit 2 ;;
esac
exec java @jvm@ -cp "${HADOOP_CONF_DIR:-@home@/client}:@home@/client:@hadoop@/*" "$main" "$@\"""",
}


def oozie_home() -> Path:
    """Folder with `lib/` (the server's class path), `webapp/`, `client/` (logging of the command lines), `xsd/`."""
    home = cache_folder() / f"oozie-{OOZIE}"
    if not home.exists():
        hadoop, own = installation.hadoop_jars(), installation.oozie_jars()
        part = home.with_suffix(f".part{os.getpid()}")
        shutil.rmtree(part, ignore_errors=True)
        _unpack(own / f"oozie-webapp-{OOZIE}.war", part)
        _class_path(part / "war" / "WEB-INF" / "lib", hadoop, own, part / "lib")
        shutil.rmtree(part / "war")
        _schemas(part)
        (part / "client").mkdir()
        (part / "client" / "log4j.properties").write_text(QUIET)
        for name in ("core-site", "hdfs-site"):  # the command line wants them, even empty
            (part / "client" / f"{name}.xml").write_text("<configuration></configuration>\n")
        part.rename(home)
    return home


def commands() -> Path:
    """Folder of the command lines `oozie` and `hdfs`, which are made where they are missing."""
    folder, home, hadoop = cache_folder() / "bin", oozie_home(), installation.hadoop_jars()
    folder.mkdir(exist_ok=True)
    for name, text in COMMANDS.items():
        for place, value in (("home", str(home)), ("hadoop", str(hadoop)), ("jvm", " ".join(JVM))):
            text = text.replace(f"@{place}@", value)
        script = folder / name
        if not script.exists() or script.read_text() != f"#!/bin/bash\n{text}\n":
            script.write_text(f"#!/bin/bash\n{text}\n")
            script.chmod(0o755)
    return folder


def _unpack(war: Path, home: Path) -> None:
    """The war, and of it the pages: its web.xml stays out, because the embedded server declares the servlets itself."""
    with zipfile.ZipFile(war) as archive:
        archive.extractall(home / "war")
    shutil.copytree(home / "war", home / "webapp", ignore=shutil.ignore_patterns("WEB-INF", "META-INF"))


def _class_path(webapp: Path, hadoop: Path, own: Path, target: Path) -> None:
    chosen: dict[str, Path] = {}
    for jar in webapp.glob("*.jar"):
        if not jar.name.startswith("hadoop-") and _artefact(jar) not in LEFT_OUT:
            chosen[_artefact(jar)] = jar
    for jar in hadoop.glob("*.jar"):
        name = _artefact(jar)
        out = name in HADOOP_LEFT_OUT or name.startswith(HADOOP_PREFIXES_LEFT_OUT)
        if not out and not (name in OOZIES_OWN and name in chosen):
            chosen[name] = jar
    for jar in own.glob("*.jar"):
        chosen.pop(_artefact(jar), None)
        chosen[jar.name] = jar  # two of them are artefacts of one name, from two groups
    target.mkdir()
    for jar in chosen.values():
        shutil.copy2(jar, target)


def _artefact(jar: Path) -> str:
    match = re.match(r"(.+?)-(\d[\w.\-]*|9999.*)\.jar$", jar.name)
    return match[1] if match else jar.name


def _schemas(home: Path) -> None:
    with zipfile.ZipFile(home / "lib" / f"oozie-client-{OOZIE}.jar") as archive:
        for name in archive.namelist():
            if name.endswith(".xsd"):
                archive.extract(name, home / "xsd")


if __name__ == "__main__":
    print(f"Oozie: {oozie_home()}\ncommand lines: {commands()}")
