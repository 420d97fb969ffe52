/*
 * a program that keeps the garbage collector of .NET busy, with the same output every time
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Text;
using System.Threading;

/* The collector of .NET Core 3.1 watches its card table once the heap passes some 40 MB: the pages
 * of it that were written tell where old objects were given pointers to young ones.  A write that
 * goes unreported there makes the collector free an object that is still in use.  So the program
 * holds much in old objects, stores pointers to new ones all over them, and looks at every object
 * again later: each knows from its place what it must contain. */

/* a xorshift generator of its own: the one of the library may change with the version */
sealed class Dice
{
    ulong state;

    public Dice( ulong seed )
    {
        state = seed * 0x9e3779b97f4a7c15UL + 1;
    }

    public int Next( int limit )
    {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (int)((state >> 33) % (ulong)limit);
    }
}

/* what the slots of the table point to: a chain whose contents follow from slot and turn */
sealed class Item
{
    public readonly int Slot, Turn;
    public readonly Item Next;
    public readonly byte[] Payload;

    public Item( int slot, int turn, int depth )
    {
        Slot = slot;
        Turn = turn;
        Payload = new byte[8 + (slot + turn) % 24];
        for (int i = 0; i < Payload.Length; i++)
            Payload[i] = (byte)(slot * 7 + turn * 13 + depth + i);
        if (depth > 0) Next = new Item( slot, turn, depth - 1 );
    }

    public bool IsSound( int slot, int turn, int depth )
    {
        if (Slot != slot || Turn != turn || Payload.Length != 8 + (slot + turn) % 24) return false;
        for (int i = 0; i < Payload.Length; i++)
            if (Payload[i] != (byte)(slot * 7 + turn * 13 + depth + i)) return false;
        return depth > 0 ? Next != null && Next.IsSound( slot, turn, depth - 1 ) : Next == null;
    }
}

sealed class Tree
{
    public Tree Left, Right;
    public int Value;

    public static Tree Build( int depth, int value )
    {
        Tree tree = new Tree();

        tree.Value = value;
        if (depth > 0)
        {
            tree.Left = Build( depth - 1, value * 2 );
            tree.Right = Build( depth - 1, value * 2 + 1 );
        }
        return tree;
    }

    public uint Checksum()
    {
        uint sum = (uint)Value * 2654435761u;

        if (Left != null) sum = sum * 31 + Left.Checksum();
        if (Right != null) sum = sum * 37 + Right.Checksum();
        return sum;
    }
}

static class Program
{
    const int Slots = 300000, Depth = 2;

    static Item[] table = new Item[Slots];
    static int[] turns = new int[Slots];
    static int broken;
    static volatile bool stopping;

    /* gives a random part of the table new objects: pointers from old memory to young */
    static void Replace( Dice dice, int count, int first, int end )
    {
        for (int i = 0; i < count; i++)
        {
            int slot = first + dice.Next( end - first );

            turns[slot]++;
            table[slot] = new Item( slot, turns[slot], Depth );
        }
    }

    /* looks at every object of the table again */
    static uint Inspect()
    {
        uint sum = 0;

        for (int slot = 0; slot < Slots; slot++)
        {
            if (!table[slot].IsSound( slot, turns[slot], Depth )) broken++;
            sum = sum * 31 + (uint)table[slot].Turn;
        }
        return sum;
    }

    /* old trees, of which branches are replaced by young ones */
    static uint Trees( Dice dice, Tree[] forest, int cuts )
    {
        uint sum = 0;

        for (int i = 0; i < cuts; i++)
        {
            Tree tree = forest[dice.Next( forest.Length )];
            int depth = 12;

            for (int steps = 3 + dice.Next( 5 ); steps > 0; steps--, depth--)
                tree = dice.Next( 2 ) == 0 ? tree.Left : tree.Right;
            if (dice.Next( 2 ) == 0) tree.Left = Tree.Build( depth - 1, i );
            else tree.Right = Tree.Build( depth - 1, -i );
        }
        foreach (Tree tree in forest) sum = sum * 17 + tree.Checksum();
        return sum;
    }

    /* a dictionary that grows and shrinks, of lists of strings */
    static uint Words( Dice dice, Dictionary<int, List<string>> words, int count )
    {
        StringBuilder text = new StringBuilder();
        uint sum = 0;

        for (int i = 0; i < count; i++)
        {
            int key = dice.Next( 20000 );
            List<string> list;

            if (!words.TryGetValue( key, out list )) words[key] = list = new List<string>();
            text.Length = 0;
            text.Append( 'w' ).Append( key ).Append( '-' ).Append( list.Count );
            list.Add( text.ToString() );
            if (list.Count > 8) words.Remove( key );
        }
        for (int key = 0; key < 20000; key++)
        {
            List<string> list;

            if (!words.TryGetValue( key, out list )) continue;
            for (int i = 0; i < list.Count; i++)
            {
                if (list[i] != "w" + key + "-" + i) broken++;
                sum = sum * 31 + (uint)list[i].Length;
            }
        }
        return sum;
    }

    /* asks for collections of everything that run beside the program, which goes on writing */
    static void Collect()
    {
        while (!stopping)
        {
            GC.Collect( 2, GCCollectionMode.Forced, false );
            Thread.Sleep( 50 );
        }
    }

    static int Main( string[] args )
    {
        int rounds = args.Length > 0 ? int.Parse( args[0] ) : 12;
        Stopwatch clock = Stopwatch.StartNew();
        Dictionary<int, List<string>> words = new Dictionary<int, List<string>>();
        Tree[] forest = new Tree[32];
        Thread collector = new Thread( Collect );
        Dice[] dice = new Dice[4];

        for (int i = 0; i < dice.Length; i++) dice[i] = new Dice( (ulong)i + 1 );
        for (int i = 0; i < Slots; i++) table[i] = new Item( i, 0, Depth );
        for (int i = 0; i < forest.Length; i++) forest[i] = Tree.Build( 12, i + 1 );
        GC.Collect();
        collector.IsBackground = true;
        collector.Start();

        for (int round = 1; round <= rounds; round++)
        {
            /* two threads, each in its half of the table: the result is the same in any order */
            Thread other = new Thread( () => Replace( dice[0], 60000, 0, Slots / 2 ) );
            uint trees, text;

            other.Start();
            Replace( dice[1], 60000, Slots / 2, Slots );
            trees = Trees( dice[2], forest, 200 );
            text = Words( dice[3], words, 60000 );
            other.Join();
            Console.WriteLine( "round {0}: table {1:x8} trees {2:x8} words {3:x8} broken {4}",
                               round, Inspect(), trees, text, broken );
        }
        stopping = true;
        collector.Join();
        Console.WriteLine( broken == 0 ? "all objects are what they must be"
                                       : "objects were lost: " + broken );
        Console.Error.WriteLine( "allocate: total_ms={0} gen0={1} gen1={2} gen2={3}",
                                 clock.ElapsedMilliseconds, GC.CollectionCount( 0 ),
                                 GC.CollectionCount( 1 ), GC.CollectionCount( 2 ) );
        return broken == 0 ? 0 : 1;
    }
}
