/**
 * What the shell outside does: enters the run's control groups, hands the two folders in as an archive, and starts bubblewrap.
 * It is there, and not this process, so that everything the run starts is limited from its first instruction on. Descriptors:
 * 3 takes the files that come back, 4 bubblewrap's own status, which no program inside can reach; 5 to 7 are the only
 * files of /etc that a program inside may need and that tell nothing of this machine; 8 ends when the worker does.
 *
 * $1 and $2 files for 3 and 4, $3 and $4 the folders without their first slash, $5 tar, $6 number of groups, the groups'
 * files, then bubblewrap's command line.
 */
export const OUTSIDE = `
exec 3>"$1" 4>"$2" 8<&0
project=$3 run=$4 tar=$5 groups=$6
shift 6
while [ "$groups" -gt 0 ]; do
  echo 0 >"$1" || exit 99
  groups=$((groups - 1))
  shift
done
exec 5<<EOF
build:x:1000:1000:build:/tmp:/bin/sh
EOF
exec 6<<EOF
127.0.0.1 localhost
::1 localhost
EOF
exec 7<<EOF
passwd: files
group: files
hosts: files
EOF
"$tar" -cf - -C / -- "$project" "$run" 3>&- 4>&- 8<&- | "$@"
`;

/**
 * What the shell inside does: takes the two folders, runs the program until its time is over, and hands back what has changed
 * in them since the program's start: by the time of a file's last change of any kind, which no program can set, against
 * that of a pipe made for the purpose, whose time needs no program to be taken. A program that reaches this shell,
 * which has the same user, harms its own run alone.
 *
 * A worker that dies takes whatever stands between it and this shell along, each bound to the one before, and all that runs
 * inside; but for some milliseconds of the start not all are bound. So one process waits for the end of 8.
 *
 * $1 the run's folder and $2 the project without their first slash, $3 seconds, $4 and $5 tar and timeout, then the program.
 */
export const INSIDE = `
run=$1 project=$2 seconds=$3 tar=$4 timeout=$5
shift 5
(
  read -r _ <&8
  kill -s KILL -- -1
) >/dev/null 2>&1 3>&- &
watch=$!
exec 8<&-
"$tar" -C / -xf - || exit 98
exec 9<<EOF
started
EOF
"$timeout" --signal=KILL "$seconds" "$@" </dev/null 3>&- 9>&-
code=$?
"$tar" --format=ustar --newer=/proc/self/fd/9 -cf - -C / -- "$run" "$project" >&3 2>/dev/null
kill -s KILL $watch
exit $code
`;
