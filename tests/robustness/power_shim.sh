# What a disk would hold if the power went now, after the flush of $1: run by power_shim.c.
# Of a file that was flushed, what it held then; of any other, as many zeros. "strict" has the names that
# the last flush of the folder made durable, "eager" those of now.
set -e
cd "$POWER_FOLDER"
state=$(ls "$POWER_SHADOW/states" | wc -l)
if [ -f "$1" ]; then cp "$1" "$POWER_SHADOW/flushed/$(stat -c %i "$1")"; fi
list() { find . -maxdepth 1 -type f -printf '%i %s %P\n'; }
if [ -d "$1" ]; then list > "$POWER_SHADOW/names"; fi
build() {
    mkdir "$POWER_SHADOW/states/$2"
    while read -r inode size name; do
        to="$POWER_SHADOW/states/$2/$name"
        if [ -f "$POWER_SHADOW/flushed/$inode" ]; then cp "$POWER_SHADOW/flushed/$inode" "$to"
        else head -c "$size" /dev/zero > "$to"; fi
    done < "$1"
}
build "$POWER_SHADOW/names" "$(printf '%04d-strict' "$state")"
list > "$POWER_SHADOW/now"
build "$POWER_SHADOW/now" "$(printf '%04d-eager' "$state")"
