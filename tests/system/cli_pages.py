"""Man pages and completion: they say what --help says, and what the documents say."""

import functools
import pathlib
import re
import shutil
import subprocess

import machine
from machine import Machine

TOP = pathlib.Path(__file__).resolve().parents[2]
FRAME = 110  # beyond this a line is a sentence, which a page folds


def built():
    return pathlib.Path(machine.ROTA).resolve().parents[1]


def program(name, *args):
    return subprocess.run([built() / "bin" / name, *args], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def flat(text):
    return " ".join(text.replace("`", "").split())


class Help:
    """What a --help says: summary, commands, options with what they do, and the note below."""

    def __init__(self, text):
        self.summary, *lines = text.splitlines()
        self.commands, self.options, self.words = {}, {}, {}
        self.note = ""
        rows = self.options
        for line in lines:
            if line.endswith(":") and not line.startswith(" "):
                rows = {"Subcommands:": self.commands, "Options:": self.options}.get(line, self.words)
            elif row := re.fullmatch(r"  (\S.*?)(?:  +(\S.*))?", line):
                last = row.group(1)
                rows[last] = row.group(2) or ""
            elif re.match(r" {10}", line):
                rows[last] += " " + line.strip()
            elif line and not line.startswith(("Usage: ", " ")):
                self.note += line + " "


@functools.lru_cache(None)
def commands():
    """Every command and group with its Help: "", "disk", "disk list", …"""
    found = {}

    def look(name):
        found[name] = Help(program("rota", *name.split(), "--help"))
        for below in found[name].commands:
            look(f"{name} {below}".strip())

    look("")
    return found


@functools.lru_cache(None)
def formatted(page, columns):
    """A page as man shows it on a terminal of so many columns, without bold; and what groff, which
    does it for man, has to complain of."""
    done = subprocess.run(
        ["groff", "-k", "-t", "-man", "-ww", "-Tutf8", "-P-cbou", f"-rLL={columns - 2}n", page],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True)
    return done.stdout, done.stderr


class Pages(Machine):
    def setUp(self):
        super().setUp()
        if not shutil.which("groff"):
            self.skip("needs groff (package groff-base)")
        self.man = built() / "share/man"

    def shown(self, page, columns=80):
        return formatted(page, columns)[0]

    def documents(self):
        pages = sorted((self.man / "man7").iterdir())
        if not pages:
            self.skip("needs cmark-gfm when rota is built (package of that name)")
        return {page: (TOP / "docs" / f"{page.stem.removeprefix('rota-')}.md").read_text()
                for page in pages}

    def test_every_page_is_taken_without_a_warning_and_bears_no_date(self):
        version = program("rota", "--version").split()[1]
        pages = sorted(self.man.glob("man?/*"))
        self.assertGreater(len(pages), 40)
        for page in pages:
            with self.subTest(page=page.name):
                self.assertEqual("", formatted(page, 80)[1] + formatted(page, 2000)[1])
                title = page.stem.upper().replace("-", r"\-")
                self.assertIn(f'\n.TH {title} {page.suffix[1:]} "" "rota {version}" "rota"\n',
                              "\n" + page.read_text())

    def test_each_command_has_a_page_with_all_that_its_help_says(self):
        texts = commands()
        self.assertIn("disk attach", texts)
        names = {name: f"rota-{name}".replace(" ", "-").rstrip("-") for name in texts}
        self.assertEqual(sorted(f"{name}.1" for name in names.values()),
                         sorted(page.name for page in (self.man / "man1").iterdir()))
        pages = {name: flat(self.shown(self.man / "man1" / f"{names[name]}.1", 2000))
                 for name in texts}
        for name, text in texts.items():
            with self.subTest(command=name):
                self.assertNotIn("`", self.shown(self.man / "man1" / f"{names[name]}.1", 2000))
                # rota-label has a summary of its own, in the third person.
                if name != "label":
                    self.assertIn(f"{names[name]} - {flat(text.summary)} ", pages[name])
                for row, meaning in [*text.options.items(), *text.words.items()]:
                    if name == "label" and row.startswith("DISK"):
                        row = "[DISK...]"
                    self.assertIn(f" {row.removesuffix(' REQUIRED')} {flat(meaning)} ", pages[name])
                if text.note != texts[""].note:
                    for part in re.split("(?=Exit status)", text.note):
                        self.assertIn(flat(part), pages[name])
                for below, summary in text.commands.items():
                    page = f"{names[name]}-{below}"
                    heading = "" if texts[f"{name} {below}".strip()].commands else f"{page}(1) "
                    self.assertIn(f" {heading}{flat(summary)} ", pages[name])
        for name, summary in texts["disk"].commands.items():
            self.assertIn(f" rota-disk-{name}(1) {flat(summary)} ", pages[""])
        for row, meaning in Help(program("rota-tui", "--help")).options.items():
            self.assertIn(f" {row} {flat(meaning)} ".replace("  ", " "), pages["tui"])

    def test_exit_status_environment_and_places_are_those_of_rota(self):
        page = flat(self.shown(self.man / "man1/rota.1"))
        statuses = re.search(r"Exit status: (.*)\.", flat(program("rota", "--help"))).group(1)
        self.assertEqual(8, len(statuses.split(", ")))
        self.assertIn(f" EXIT STATUS {statuses.replace(',', '')} ENVIRONMENT ", page)
        for name in self.places:
            self.assertIn(f" ROTA_{name}_DIR ", page)
        for place in ("/etc/rota Settings", "/var/lib/rota State", "~/.config/rota", "NO_COLOR"):
            self.assertIn(place, page)
        # A command whose statuses are others does not list rota's.
        page = flat(self.shown(self.man / "man1/rota-check.1"))
        self.assertIn(" EXIT STATUS Exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. SEE ALSO ",
                      page)

    def test_references_lead_to_pages(self):
        self.documents()
        there = {f"{page.stem}({page.suffix[1:]})" for page in self.man.glob("man?/*")}
        for page in self.man.glob("man?/*"):
            named = set(re.findall(r"rota[a-z-]*\(\d\)", self.shown(page, 2000)))
            self.assertTrue(named)
            self.assertEqual(set(), named - there, page.name)

    def test_documents_are_pages_with_every_heading_and_every_frame(self):
        for page, text in self.documents().items():
            with self.subTest(page=page.name):
                shown = self.shown(page)
                lines = shown.splitlines()
                prose = re.sub(r"(?ms)^```.*?^```$", "", text)
                title, *headings = re.findall(r"(?m)^(#+) (.*)$", prose)
                self.assertIn(f" {page.stem} - {title[1]} ", flat(shown))
                places = []
                for level, heading in headings:
                    indent = {"##": "", "###": "   "}[level]
                    places.append(lines.index(indent + heading.replace("`", "")))
                self.assertEqual(sorted(places), places)
                code = "\n".join(re.findall(r"(?ms)^```\n(.*?)^```$", text))
                code += "\n" + "\n".join(re.findall(r"(?m)^    \S.*$", prose))
                whole = {line.strip() for line in lines}
                for line in code.splitlines():
                    if len(line) <= FRAME:
                        self.assertIn(line.strip(), whole)

    def test_links_between_documents_are_references_and_pictures_have_words(self):
        pages = {page.stem: flat(self.shown(page, 2000)) for page in self.documents()}
        for page in pages.values():
            self.assertNotRegex(page, r"\]\(|(?<!docs/format)\.md\b|#[a-z]+-")
        self.assertIn("rota-stores(7) has a policy", pages["rota-security"])
        self.assertIn("let go of the disk; see rota-disks(7)", pages["rota-manual"])
        self.assertIn("a drill (rota-drills(7)) of the server", pages["rota-manual"])
        self.assertIn("[picture: The first page of a recovery plan]", pages["rota-manual"])
        self.assertIn("b2://bucket/prefix Backblaze B2, by its own", pages["rota-stores"])

    def test_tables_and_frames_fit_a_terminal_of_80_columns(self):
        for page, text in self.documents().items():
            wide = [line.strip() for line in text.splitlines() if len(line) > 80]
            for line in self.shown(page).splitlines():
                if len(line) > 80:
                    self.assertTrue(any(line.strip() == part for part in wide), line)


class Completion(Machine):
    def setUp(self):
        super().setUp()
        for name in ("web", "mail"):
            profile = pathlib.Path(self.places["CONFIG"]) / name
            profile.mkdir(parents=True)
            (profile / "profile.toml").touch()
        (pathlib.Path(self.places["CONFIG"]) / "keys").mkdir()
        self.here = self.dir / "here"
        (self.here / "directory").mkdir(parents=True)
        (self.here / "a file").touch()

    def completed(self, *lines):
        """What bash offers at the end of each line, whose words stand as bash splits them."""
        script = 'source "$FILE"\n'
        for line in lines:
            words = re.findall(r"=|[^ =]+", line) + ([""] if line.endswith(" ") else [])
            quoted = " ".join("'" + word + "'" for word in words)
            script += (f"COMP_WORDS=({quoted}) COMP_CWORD={len(words) - 1}\n_rota\n"
                       'for offer in "${COMPREPLY[@]}"; do echo "+$offer"; done; echo .\n')
        done = subprocess.run(
            ["bash", "--norc", "-u", "-c", script], cwd=self.here, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
            env=self.environment(FILE=str(built() / "share/bash-completion/completions/rota")))
        offers = [[]]
        for line in done.stdout.splitlines():
            if line == ".":
                offers.append([])
            else:
                self.assertTrue(line.startswith("+"), done.stdout)
                offers[-1].append(line[1:])
        self.assertEqual(len(lines) + 1, len(offers), done.stdout)
        return [sorted(offer) for offer in offers[:-1]]

    def test_every_command_and_option_of_help_is_offered(self):
        texts = commands()
        lines = [f"rota {name} ".replace("  ", " ") for name in texts]
        for (name, text), offer in zip(texts.items(), self.completed(*lines)):
            if text.commands:
                self.assertEqual(sorted(text.commands), offer, name)
        for (name, text), offer in zip(texts.items(), self.completed(*(l + "-" for l in lines))):
            options = [part for row in text.options for part in row.split(" ")[0].split(",")]
            self.assertEqual(sorted(options), offer, name)

    def test_words_and_values_are_completed_by_their_kind(self):
        files = ["a file", "directory"]
        expected = {
            "rota di": ["diff", "disk"],
            "rota disk a": ["accept", "adopt", "attach"],
            "rota nothing ": [],
            "rota nothing -": [],
            "rota backup ": ["mail", "web"],
            "rota backup w": ["web"],
            "rota backup web ": [],
            "rota backup -v --full m": ["mail"],
            "rota disk attach B --profile ": ["mail", "web"],
            "rota restore --to ": ["directory"],
            "rota restore --to=": ["directory"],
            "rota restore --to=d": ["directory"],
            "rota restore --at 4D w": ["web"],
            "rota restore --at ": [],
            "rota restore --to dir --key a": ["a file"],
            "rota fetch web etc/fstab ": files,
            "rota fetch etc/fstab ": files,
            "rota fetch web etc/fstab x ": [],
            "rota disk prepare d": ["directory"],
            "rota disk show d": [],
            f"rota disk attach {self.here}/d": [f"{self.here}/directory"],
            "rota disk move B o": ["off-site", "on-site"],
            "rota key ": ["check", "export", "generate"],
            "rota key check ": ["mail", "web"],
            "rota ledger rebuild x y ": files,
            "rota label B --style ": ["discreet", "full"],
            "rota label B -o ": files,
            "rota label A B /": self.completed("rota disk prepare /")[0],
            "rota backup -- w": ["web"],
        }
        for (line, offer), got in zip(expected.items(), self.completed(*expected)):
            self.assertEqual(offer, got, line)

    def test_bash_completes_with_the_key_as_it_does_with_the_function(self):
        """A real shell: what is typed, Tab, and what stands in the line then."""
        script = (f"source {built()}/share/bash-completion/completions/rota\n"
                  "rota() { printf '<%s>\\n' \"$@\"; }\n"
                  "rota rest\t--to=dir\t\nrota fetch web x a\t\nexit\n")
        done = subprocess.run(["script", "-qec", "bash --norc --noprofile -i", "/dev/null"],
                              input=script, cwd=self.here, stdout=subprocess.PIPE, text=True,
                              env=self.environment(PS1="$ ", TERM="dumb"), timeout=60, check=False)
        self.assertRegex(done.stdout, r"<restore>\r?\n<--to=directory/>")
        self.assertRegex(done.stdout, r"<x>\r?\n<a file>")

    def test_what_is_called_like_a_command_is_not_run(self):
        (self.here / "$(touch ran)").touch()
        odd = pathlib.Path(self.places["CONFIG"]) / "$(touch ran)"
        odd.mkdir()
        (odd / "profile.toml").touch()
        self.assertEqual([["$(touch ran)", "mail", "web"]], self.completed("rota backup "))
        self.completed("rota fetch web x ")
        self.assertFalse((self.here / "ran").exists())
