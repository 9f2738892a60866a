// Package s3 keeps the state in a bucket of an S3-compatible store: [Store] is a [state.Store].
//
// A version is an object's ETag. Create is a PUT with If-None-Match: *, Replace a PUT with If-Match. Every write carries a random mark in
// the object's metadata (x-amz-meta-agentsync-write), so that a write whose answer was lost, or was a lie of something in between, is
// settled by looking: an object with the mark of this write is this write.
//
// Before its first write a Store proves, with an object of its own below probe/, that the bucket honours these conditions, and refuses to write
// where it does not. Reading never writes: a command that only reads proves nothing and leaves nothing behind.
//
// Delete reads the object, compares its version, and sends DELETE with If-Match. Many stores ignore that condition; the proof finds out, and
// the header is then left out: what somebody writes in the moment between the look and the DELETE is lost with it. agentsync deletes under its
// lock; the one object that is deleted without is the lock itself.
//
// Credentials and signatures come from github.com/minio/minio-go/v7; the four requests are our own, since its client sends no condition
// with a DELETE, lists without a context, and repeats writes by itself. The AWS SDK was measured and turned down: it adds 8.8 MB to the
// binary and 1.5 to 2.5 ms to every start, against 1.4 MB and about 1 ms.
package s3
