#!/usr/bin/env bash
# The main job on real files, step by step: demo.sh [PATH], run by `./dev demo [PATH]`.
#
# Backs a copy of PATH (default: /etc and /usr/share/doc) up into a chain, changes the copy, backs
# it up again, restores both runs and has rsync, which knows nothing of rota, compare them with what
# was backed up. Works in a private directory of its own below ${TMPDIR:-/var/tmp}, removed at the
# end. ROTA names the program. Exit status: 0 shown, 1 something went wrong, 2 PATH is unusable.
set -euo pipefail

readonly rota=${ROTA:?set it to the path of the program}
paths=("${1:-/etc}")
(($# > 0)) || paths+=(/usr/share/doc)

stop() {
  printf 'demo: %s\n' "$2" >&2
  exit "$1"
}

heading() { printf '\n== %s\n' "$*"; }

# Shows a command, runs it and shows how long it took.
run() {
  local start=${EPOCHREALTIME/./} # in microseconds
  printf '$ rota %s\n' "$*"
  "$rota" "$@"
  local tenths=$(((${EPOCHREALTIME/./} - start + 50000) / 100000))
  printf '   (%s.%s s)\n' $((tenths / 10)) $((tenths % 10))
}

compare() { # compare WHAT BACKED_UP RESTORED
  local differences
  differences=$(rsync -aHAXnic --numeric-ids --delete --modify-window=-1 "$2/" "$3/") ||
    stop 1 "rsync could not compare $1"
  if [[ -n $differences ]]; then
    printf '%s\n' "$differences"
    stop 1 "$1 DIFFERS from what was backed up (above, in the form of rsync --itemize-changes)"
  fi
  printf 'NO DIFFERENCE: %s is what was backed up, in content and metadata (%s entries)\n' \
    "$1" "$(find "$3" -printf x | wc -c)"
}

for path in "${paths[@]}"; do
  [[ -e $path ]] || stop 2 "$path does not exist; name a file or directory to back up"
  if [[ ! -r $path || (-d $path && ! -x $path) ]]; then
    stop 2 "$path cannot be read; run this as a user who may, or name another path"
  fi
done

scratch=$(realpath "$(mktemp -d "${TMPDIR:-/var/tmp}/rota-demo.XXXXXXXX")")
trap 'rm -rf "$scratch"' EXIT
export ROTA_CONFIG_DIR=$scratch/config ROTA_STATE_DIR=$scratch/state ROTA_CACHE_DIR=$scratch/cache ROTA_RUN_DIR=$scratch/run
readonly tree=$scratch/tree store=$scratch/store
mkdir "$tree"

heading "A copy of ${paths[*]}, so that changing files is safe"
needed=$({ du -skxc -- "${paths[@]}" 2>/dev/null || true; } | awk 'END { print 5 * $1 }')
room=$(df -k --output=avail "$scratch" | tail -n 1)
((needed < room)) ||
  stop 1 "this needs $needed kB in ${scratch%/*}, which has $room; set TMPDIR or name less"
options=(-aHAXx "--exclude=${scratch##*/}")
((EUID == 0)) || options+=(--chmod=u+rwX) # all becomes ours: we must be able to read it
status=0
rsync "${options[@]}" -- "${paths[@]}" "$tree/" 2>"$scratch/unreadable" || status=$?
case $status in
  0) ;;
  23 | 24)
    echo "($(grep -c '^rsync: \[' "$scratch/unreadable") paths cannot be read and are left out)"
    ;;
  *) cat "$scratch/unreadable" >&2 && stop 1 "the files could not be copied" ;;
esac
find "$tree" -type s -delete # sockets are not backed up
echo "$(find "$tree" -printf x | wc -c) entries, $(du -sh --apparent-size "$tree" | cut -f 1), in $tree"

heading "A profile: what to back up, and where to"
run init demo --source "$tree" --target "file://$store"
# So that the comparison is of everything.
echo 'exclude_caches = false' >>"$ROTA_CONFIG_DIR/demo/profile.toml"

heading "The first backup is a full"
run backup --verbose
rsync -aHAX --modify-window=-1 "$tree/" "$scratch/first/" # what the first run has to bring back

heading "Changes: edited, appended, deleted, renamed, new, other mode"
mapfile -d '' files < <(find "$tree" -type f -size +2k -print0 | sort -z | head -z -n 6)
change() { # change VERB NUMBER COMMAND...: of the file of that number, if there are so many
  local verb=$1 file=${files[$2]-}
  shift 2
  [[ -n $file ]] || return 0
  printf '%-9s %s\n' "$verb" "${file#"$tree"/}"
  "$@" "$file"
}
edit() { printf 'edited by the demo' | dd of="$1" bs=1 seek=1000 conv=notrunc status=none; }
append() { echo "appended by the demo" >>"$1"; }
rename() { mv "$1" "$1.renamed"; }
change edited 0 edit
change appended 1 append
change deleted 2 rm
change renamed 3 rename
change "mode 0600" 4 chmod 0600
head -c 300000 /dev/urandom >"$tree/new-file"
echo "new       new-file"

heading "The second backup is an increment: only what changed is read and stored"
run backup --verbose
du -sh "$store" | sed 's/\t.*/ is the size of the whole store/'

heading "The runs, and what changed between them"
run list
mapfile -t runs < <("$rota" list --json | jq -r '.runs[].name')
run diff "${runs[0]}" "${runs[1]}" >"$scratch/diff"
head -n 15 "$scratch/diff"

heading "The latest run, restored"
run restore --to "$scratch/latest" --verbose
compare "the latest run" "$tree" "$scratch/latest"

heading "The first run, restored"
run restore --at "${runs[0]}" --to "$scratch/old" --verbose
compare "the first run" "$scratch/first" "$scratch/old"

heading "One file alone"
run fetch new-file "$scratch/fetched"
cmp "$tree/new-file" "$scratch/fetched" || stop 1 "the fetched file DIFFERS from what was backed up"
echo "NO DIFFERENCE: the fetched file is what was backed up"

heading "Everything in the store, read and compared with its hashes"
run verify --data --verbose

heading "Where you stand"
run status
printf '\nAll was restored as it was backed up, in %s s. %s is removed.\n' "$SECONDS" "$scratch"
