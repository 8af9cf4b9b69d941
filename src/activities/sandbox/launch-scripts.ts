/**
 * What the shell outside does: enters the run's control groups, hands the two folders in as an archive, and starts bubblewrap.
 * It is there, and not this process, so that everything the run starts is limited from its first instruction on. Descriptors:
 * 3 and 8 take the files that come back, 4 bubblewrap's own status, which no program inside can reach; 5 to 7 are the only
 * files of /etc that a program inside may need and that tell nothing of this machine.
 *
 * $1 to $3 files for 3, 8 and 4, $4 and $5 the folders without their first slash, $6 tar, $7 number of groups, the groups'
 * files, then bubblewrap's command line.
 */
export const OUTSIDE = `
exec 3>"$1" 8>"$2" 4>"$3"
project=$4 run=$5 tar=$6 groups=$7
shift 7
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
"$tar" -cf - -C / -- "$project" "$run" 3>&- 4>&- 8>&- | "$@"
`;

/**
 * What the shell inside does: takes the two folders, runs the program until its time is over, and hands the run's folder
 * back, and what has changed in the project: by the time of a file's last change of any kind, which no program can set. A
 * program that reaches this shell, which has the same user, harms its own run alone.
 *
 * $1 the project, $2 the run's folder, $3 seconds, $4 to $6 tar, timeout and date, then the program.
 */
export const INSIDE = `
project=$1 run=$2 seconds=$3 tar=$4 timeout=$5 date=$6
shift 6
"$tar" -C / -xf - || exit 98
started=$("$date" +%s.%N)
"$timeout" --signal=KILL "$seconds" "$@" </dev/null 3>&- 8>&-
code=$?
"$tar" -C "$run" --format=ustar -cf - . >&3 2>/dev/null
"$tar" -C "$project" --format=ustar --newer="@$started" -cf - . >&8 2>/dev/null
exit $code
`;
