# Pours a file into its output, and says to a named pipe when it begins and when all of it is taken: pour.sh PIPE FILE
echo "$$ begin" > "$1"
cat "$2"
echo "$$ end" > "$1"
exec sleep 86399
