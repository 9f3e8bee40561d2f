# The five kinds of descendants that managers lose; each sleeps for a time of its own: five_ways.sh PREFIX
sleep "${1}1" &
sh -c "set -m; sleep ${1}2 & wait" &
setsid sleep "${1}3" &
setsid sh -c "sleep ${1}4 & exit" &
env -i PATH="$PATH" setsid sh -c "sleep ${1}5 & exit" &
exec sleep "${1}0"
