package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// loopTries bounds how often a free device is asked for that another took meanwhile.
const loopTries = 64

// loopMajor is the kernel's number for loop devices.
const loopMajor = 7

// attach puts image into a free loop device and mounts that at point. The device frees
// itself with the last mount of it, so that a crash can leave none behind.
func attach(image, point, fstype string) error {
	file, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open a volume: %w", err)
	}
	defer func() { _ = file.Close() }()
	device, err := configure(file)
	if err != nil {
		return err
	}
	defer func() { _ = device.Close() }() // after the mount, which then holds it
	if err := unix.Mount(device.Name(), point, fstype, unix.MS_NODEV|unix.MS_NOSUID, ""); err != nil {
		return fmt.Errorf("mount a volume: %w", err)
	}
	return nil
}

// configure finds a loop device that nobody uses and puts file into it.
func configure(file *os.File) (*os.File, error) {
	keeper, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("look for loop devices: %w", err)
	}
	defer func() { _ = keeper.Close() }()
	for range loopTries {
		number, err := unix.IoctlRetInt(int(keeper.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("look for a free loop device: %w", err)
		}
		device, err := open(number)
		if err != nil {
			return nil, err
		}
		config := unix.LoopConfig{Fd: uint32(file.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
		copy(config.Info.File_name[:], filepath.Base(file.Name()))
		err = unix.IoctlLoopConfigure(int(device.Fd()), &config)
		if err == nil {
			return device, nil
		}
		_ = device.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("configure a loop device: %w", err)
		}
	}
	return nil, fmt.Errorf("configure a loop device: %w", unix.EBUSY)
}

// open opens a loop device, whose node may be missing where no one manages them.
func open(number int) (*os.File, error) {
	path := fmt.Sprintf("/dev/loop%d", number)
	device, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		if err := unix.Mknod(path, unix.S_IFBLK|0o660, int(unix.Mkdev(loopMajor, uint32(number)))); err != nil && !errors.Is(err, unix.EEXIST) {
			return nil, fmt.Errorf("make the node of a loop device: %w", err)
		}
		device, err = os.OpenFile(path, os.O_RDWR, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("open a loop device: %w", err)
	}
	return device, nil
}
