// Package errgroup has the signatures of golang.org/x/sync/errgroup that the pages use, and does what they rely on.
package errgroup

import (
	"context"
	"sync"
)

type Group struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
	slots   chan struct{}
	first   sync.Once
	err     error
}

func WithContext(ctx context.Context) (*Group, context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	return &Group{cancel: cancel}, ctx
}

func (g *Group) SetLimit(n int) {
	g.slots = make(chan struct{}, n)
}

func (g *Group) Go(f func() error) {
	g.slots <- struct{}{}
	g.running.Add(1)
	go func() {
		defer g.running.Done()
		if err := f(); err != nil {
			g.first.Do(func() {
				g.err = err
				g.cancel()
			})
		}
		<-g.slots
	}()
}

func (g *Group) Wait() error {
	g.running.Wait()
	g.cancel()
	return g.err
}
